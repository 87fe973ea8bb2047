"""Where postcodes lie: reference postcodes, areas, the spatial join between them, and hot spots.

Everything is worked out in EPSG:27700 (the British National Grid, metres); other coordinate systems
are left at the door.
"""
