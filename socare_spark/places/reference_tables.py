"""Declarations of the reference tables that the job `places` writes."""

from socare_spark.lake.table import ColumnSpec, TableSpec, Zone

_SOURCE = "Thesis 3.13.2 (heat maps); docs/definitions.md, section 4"
LAYER = ColumnSpec("layer", "string", "Layer of areas, as conf/places.yaml names it.")
CODE = ColumnSpec("code", "string", "Code of the area within its layer.")

POSTCODES = TableSpec(
    Zone.REFERENCE,
    "postcodes",
    "A unit postcode, once, as the first source that knows it gives it.",
    (ColumnSpec("postcode", "string", "Unit postcode with one blank, as 'B1 1AA'."),),
    (
        ColumnSpec("district", "string", "Its district, as 'B1'."),
        ColumnSpec("sector", "string", "Its sector, as 'B1 1'."),
        ColumnSpec(
            "easting", "int", "Metres east on the National Grid; null where it has no place."
        ),
        ColumnSpec(
            "northing", "int", "Metres north on the National Grid; null where it has no place."
        ),
        ColumnSpec("source", "string", "Source that placed it, as conf/places.yaml names it."),
    ),
    source=_SOURCE,
    grows=True,
)
AREAS = TableSpec(
    Zone.REFERENCE,
    "areas",
    "An area of a layer.",
    (LAYER, CODE),
    (
        ColumnSpec("name", "string", "Its name; the code where it has none."),
        ColumnSpec("area_km2", "double", "Its area in square kilometres."),
        ColumnSpec("geometry", "binary", "Its polygons as WKB in EPSG:27700."),
    ),
    source=_SOURCE,
    # The polygons of a national layer are larger than a result that the driver collects.
    grows=True,
)
POSTCODE_AREAS = TableSpec(
    Zone.REFERENCE,
    "postcode_areas",
    "Area of a postcode in a layer: one row for every postcode and layer.",
    (POSTCODES.dims[0], LAYER),
    (
        ColumnSpec("code", "string", "Its area; null where the rule is outside or unlocated."),
        ColumnSpec(
            "rule",
            "string",
            "What placed it: inside; boundary (several areas cover it, the lowest code has it); "
            "nearest (in none, but close to this one); outside; unlocated (no coordinates).",
        ),
    ),
    source=_SOURCE,
    grows=True,
)
POPULATION = TableSpec(
    Zone.REFERENCE,
    "population",
    "People who live in an area.",
    (
        LAYER,
        CODE,
        ColumnSpec("year", "int", "Year of the estimate."),
        ColumnSpec("age_band", "string", "Age band as the source names it; null means all ages."),
    ),
    (ColumnSpec("population", "bigint", "People."),),
    source="The population files that conf/places.yaml names",
    # A file can have all areas of the country.
    grows=True,
)
REFERENCE = (POSTCODES, AREAS, POSTCODE_AREAS, POPULATION)
