"""Reference postcodes, areas, and the assignment of postcodes to areas.

All geometry is in EPSG:27700 (British National Grid, metres). Other coordinate systems are
transformed when a file is read.
"""
