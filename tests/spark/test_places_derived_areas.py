"""Layers that nobody drew: squares of the grid, and areas from unit postcodes."""

import pytest
import shapely
from pyspark.sql import functions as F
from shapely import box

from socare_spark.places import derived_areas

SITES = (
    "postcode string, easting int, northing int, sector string, district string, in_city boolean"
)


@pytest.fixture
def bounds(spark):
    city = shapely.to_wkt(box(400000, 300000, 402000, 301000))
    return spark.createDataFrame([(city,)], "wkt string").selectExpr(
        "ST_GeomFromWKT(wkt) AS bounds"
    )


def _sites(spark, *rows):
    return spark.createDataFrame(
        [
            (p, e, n, p[: p.index(" ") + 2], p.split()[0], inside)
            for p, e, n, inside in ((*row, True)[:4] for row in rows)
        ],
        SITES,
    )


def _shapes(areas):
    rows = areas.selectExpr("code", "ST_AsBinary(geometry) AS wkb").collect()
    return {row["code"]: shapely.from_wkb(bytes(row["wkb"])) for row in rows}


@pytest.mark.parametrize(
    ("easting", "northing", "metres", "name"),
    [
        (407123, 286456, 1000, "SP0786"),
        (407123, 286456, 100, "SP071864"),
        (407123, 286456, 10000, "SP08"),
        (407000, 286000, 1000, "SP0786"),  # a corner belongs to the square that begins there
        (406999, 285999, 1000, "SP0685"),
        (0, 0, 1000, "SV0000"),
        (393010, 801460, 1000, "NJ9301"),  # two letters further: Aberdeen
        (651409, 313177, 1000, "TG5113"),  # the Survey's own example, Caister water tower
    ],
)
def test_squares_are_named_as_the_survey_names_them(spark, easting, northing, metres, name):
    row = spark.range(1).select(
        derived_areas.square_of(F.lit(easting), F.lit(northing), metres).alias("s")
    )
    assert row.first()["s"] == name


def test_squares_are_whole_and_touch_the_city(spark, bounds):
    sites = _sites(spark, ("B1 1AA", 402500, 300500))  # a postcode just outside the drawn edge
    shapes = _shapes(derived_areas.squares(sites, bounds, 1000, "grid"))
    assert sorted(shapes) == ["SK0000", "SK0100", "SK0200"]
    assert shapes["SK0100"].equals(box(401000, 300000, 402000, 301000))


def test_sectors_and_districts_tile_the_city(spark, bounds):
    sites = _sites(
        spark,
        ("B1 1AA", 400500, 300500),
        ("B1 1AB", 400500, 300500),  # two postcodes at one place
        ("B1 2AA", 401000, 300500),
        ("B2 1AA", 401500, 300200),
        ("B2 1AB", 401500, 300800),
    )
    cells = derived_areas.voronoi_cells(sites, bounds)
    assert cells.count() == 4
    grounds = derived_areas.sector_grounds(cells)
    sectors = _shapes(derived_areas.dissolved(grounds, "sector", "sector", bounds))
    districts = _shapes(derived_areas.dissolved(grounds, "district", "district", bounds))
    west = box(400000, 300000, 400750, 301000)  # half way to the next place
    assert sectors["B1 1"].symmetric_difference(west).area < 1e-6
    assert sorted(districts) == ["B1", "B2"]
    for layer in (sectors, districts):
        assert sum(shape.area for shape in layer.values()) == pytest.approx(2_000_000)
        assert shapely.union_all(list(layer.values())).area == pytest.approx(2_000_000)


def test_shared_site_belongs_to_the_sector_with_most_postcodes(spark, bounds):
    sites = _sites(
        spark,
        ("B1 1AA", 400500, 300500),
        ("B1 9AA", 400500, 300500),
        ("B1 9AB", 400500, 300500),
        ("B1 3AA", 401500, 300500),
        ("B1 2AA", 401500, 300500),
    )
    cells = derived_areas.voronoi_cells(sites, bounds)
    assert sorted(r["sector"] for r in cells.collect()) == ["B1 2", "B1 9"]  # the lower of a draw


def test_postcode_in_the_city_is_placed_by_its_text(spark, bounds):
    located = _sites(
        spark,
        ("B1 1AA", 400500, 300500),
        ("B1 1AB", 401500, 300500),
        ("B1 2AA", 401500, 300500),
        ("B1 2AB", 401500, 300500),
        ("B1 9AA", 401500, 300500),  # the only one of its sector, at a place that another has
        ("B1 1ZZ", 409000, 300500, False),
        ("B1 1ZY", None, None, False),
    )
    cells = derived_areas.voronoi_cells(located.where("in_city"), bounds)
    areas = derived_areas.dissolved(derived_areas.sector_grounds(cells), "sector", "sector", bounds)
    found = derived_areas.placed_by_text(located, areas, cells, "sector", "sector").collect()
    assert {row["postcode"]: (row["code"], row["rule"]) for row in found} == {
        "B1 1AA": ("B1 1", "inside"),
        "B1 1AB": ("B1 1", "inside"),
        "B1 2AA": ("B1 2", "inside"),
        "B1 2AB": ("B1 2", "inside"),
        "B1 9AA": ("B1 2", "nearest"),
        "B1 1ZZ": (None, "outside"),
        "B1 1ZY": (None, "unlocated"),
    }


def test_areas_are_the_same_in_any_order_of_rows(spark, bounds):
    rows = [
        (f"B1 {i % 3}A{chr(65 + i)}", 400000 + 97 * i % 1999, 300000 + 61 * i % 997)
        for i in range(20)
    ]

    def shapes(order):
        sites = _sites(spark, *order).repartition(3)
        grounds = derived_areas.sector_grounds(derived_areas.voronoi_cells(sites, bounds))
        areas = derived_areas.dissolved(grounds, "sector", "sector", bounds)
        return {code: shapely.to_wkb(shape) for code, shape in _shapes(areas).items()}

    assert shapes(rows) == shapes(rows[::-1])
