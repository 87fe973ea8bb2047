"""The spatial join: the plan it runs by, and the rule that places each postcode."""

import pytest

from socare_spark.places.assignment import assign_areas, covering_areas, nearest_areas, points_of

POSTCODES = "postcode string, easting int, northing int"
# Two wards side by side in one city; east of it is nothing.
WEST = "POLYGON((400000 300000,401000 300000,401000 301000,400000 301000,400000 300000))"
EAST = "POLYGON((401000 300000,402000 300000,402000 301000,401000 301000,401000 300000))"
CITY = "POLYGON((400000 300000,402000 300000,402000 301000,400000 301000,400000 300000))"


@pytest.fixture
def areas(spark):
    rows = [("ward", "W2", EAST), ("ward", "W1", WEST), ("city", "C", CITY)]
    return spark.createDataFrame(rows, "layer string, code string, wkt string").selectExpr(
        "layer", "code", "ST_GeomFromWKT(wkt) AS geometry"
    )


def _placed(spark, areas, *rows):
    found = assign_areas(spark.createDataFrame(rows, POSTCODES), areas, ["ward", "city"], 10)
    return {(row["postcode"], row["layer"]): (row["code"], row["rule"]) for row in found.collect()}


@pytest.mark.parametrize(
    ("easting", "northing", "ward", "city"),
    [
        (400500, 300500, ("W1", "inside"), ("C", "inside")),
        (
            401000,
            300500,
            ("W1", "boundary"),
            ("C", "inside"),
        ),  # on both wards' edge: the lower code
        (402000, 300500, ("W2", "inside"), ("C", "inside")),  # on the outer edge: covered by one
        (402010, 300500, ("W2", "nearest"), ("C", "nearest")),  # just within ten metres
        (402011, 300500, (None, "outside"), (None, "outside")),  # just beyond
        (
            401000,
            301005,
            ("W1", "nearest"),
            ("C", "nearest"),
        ),  # equally near to both: the lower code
        (None, None, (None, "unlocated"), (None, "unlocated")),
    ],
)
def test_the_rule_that_places_a_postcode(spark, areas, easting, northing, ward, city):
    found = _placed(spark, areas, ("B1 1AA", easting, northing))
    assert found == {("B1 1AA", "ward"): ward, ("B1 1AA", "city"): city}


def test_every_postcode_has_one_row_for_every_layer(spark, areas):
    rows = [(f"B1 1A{chr(65 + i)}", 399_990 + 300 * i, 300_000) for i in range(9)] + [
        ("B1 1ZZ", None, None)
    ]
    assert len(_placed(spark, areas, *rows)) == 2 * len(rows)


def test_spatial_join_uses_an_index(spark, areas):
    points = points_of(spark.createDataFrame([("B1 1AA", 400500, 300500)], POSTCODES))
    for frame in (covering_areas(points, areas), nearest_areas(points, areas, 10)):
        frame.collect()
        plan = frame._jdf.queryExecution().executedPlan().toString()
        assert "BroadcastIndexJoin" in plan
        assert "CartesianProduct" not in plan
        assert "BroadcastNestedLoopJoin" not in plan
