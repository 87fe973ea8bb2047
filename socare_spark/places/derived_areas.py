"""Layers that nobody drew: sectors and districts from their postcodes, and the national grid.

A postcode sector has no published boundary. Here it is the ground nearer to one of its postcodes
than to a postcode of another sector: Voronoi cells dissolved and cut to the city, so that sectors
and districts each tile the city exactly. The grid's squares stay whole: a sliver of a square at the
city's edge would make any density.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.checkpoint import checkpointed
from socare_spark.places.assignment import INSIDE, NEAREST, OUTSIDE, UNLOCATED
from socare_spark.places.geometry import polygons_of, union_of

_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # the grid's own alphabet has no I


def voronoi_cells(sites: DataFrame, bounds: DataFrame) -> DataFrame:
    """The Voronoi cells of the places that have postcodes.

    A place with postcodes of several sectors goes to the one with most there, then the lowest.

    Args:
        sites: `easting`, `northing`, `sector`, `district`; one row a postcode.
        bounds: One row, `bounds`: the ground to be shared out.

    Returns:
        `easting`, `northing`, `sector`, `district`, `geometry`; each place once, cells not yet cut.
    """
    by_place = ["easting", "northing"]
    places = checkpointed(
        sites.groupBy(*by_place, "sector", "district")
        .agg((-F.count(F.lit(1))).alias("fewer"))
        .groupBy(*by_place)
        .agg(F.min(F.struct("fewer", "sector", "district")).alias("first"))
        .select(*by_place, "first.sector", "first.district", _point().alias("point"))
    )
    # Sorted, since the diagram's last digits depend on the order in which places are added.
    points = F.expr(
        "ST_Collect(transform(array_sort(collect_list(struct(easting, northing))),"
        " p -> ST_Point(double(p.easting), double(p.northing))))"
    )
    diagram = (
        places.agg(points.alias("points"))
        .crossJoin(bounds)
        .select(
            F.expr(
                "explode(ST_Dump("
                "ST_VoronoiPolygons(points, 0.0, ST_Expand(ST_Envelope(bounds), 1000.0))))"
            ).alias("geometry")
        )
    )
    # A cell holds its own place and no other; the diagram does not say which.
    spread = diagram.repartition(places.sparkSession.sparkContext.defaultParallelism)
    own = spread.join(F.broadcast(places), F.expr("ST_Covers(geometry, point)"))
    return own.select(*by_place, "sector", "district", "geometry")


def _point() -> Column:
    return F.expr("ST_Point(double(easting), double(northing))")


def reach_of(sites: DataFrame, metres: float) -> DataFrame:
    """The ground within a distance of any place, as one row `bounds`: where no city is drawn."""
    discs = (
        sites.select("easting", "northing")
        .distinct()
        .select(
            F.expr(
                f"ST_Buffer(ST_Point(double(easting), double(northing)), {float(metres)!r})"
            ).alias("g")
        )
    )
    return discs.agg(union_of("g").alias("bounds"))


def sector_grounds(cells: DataFrame) -> DataFrame:
    """Cells dissolved by sector, not yet cut: `sector`, `district`, `geometry`."""
    return cells.groupBy("sector", "district").agg(union_of("geometry").alias("geometry"))


def dissolved(grounds: DataFrame, level: str, layer: str, bounds: DataFrame) -> DataFrame:
    """Areas of one level, `sector` or `district`, cut to the bounds.

    They are cut after they are dissolved: neighbours that were cut apart would not meet exactly.

    Args:
        grounds: Of `sector_grounds`.
        level: `sector` or `district`.
        layer: The layer's name.
        bounds: One row, `bounds`.

    Returns:
        `layer`, `code`, `name`, `geometry`.
    """
    whole = grounds.groupBy(F.col(level).alias("code")).agg(union_of("geometry").alias("g"))
    cut = F.expr(polygons_of("ST_Intersection(g, bounds)")).alias("geometry")
    return (
        whole.crossJoin(F.broadcast(bounds))
        .select(F.lit(layer).alias("layer"), "code", F.col("code").alias("name"), cut)
        .where("ST_Area(geometry) > 0")
    )


def placed_by_text(
    located: DataFrame, areas: DataFrame, cells: DataFrame, level: str, layer: str
) -> DataFrame:
    """Where each postcode lies in a layer built from postcodes: its own text says it.

    A postcode of the city whose sector has no ground (another sector has more postcodes at all its
    places) belongs to the area at its place, as `nearest`.

    Args:
        located: `postcode`, `easting`, `northing`, `sector`, `district`, `in_city`.
        areas: The layer's areas.
        cells: The cells that made them.
        level: `sector` or `district`.
        layer: The layer's name.

    Returns:
        `postcode`, `layer`, `code`, `rule`.
    """
    codes = areas.select(F.col("code"))
    own = codes.select(F.col("code").alias("own"))
    there = cells.select("easting", "northing", F.col(level).alias("there")).join(
        codes.withColumnRenamed("code", "there"), "there", "left_semi"
    )
    joined = located.join(
        F.broadcast(own), (F.col(level) == F.col("own")) & F.col("in_city"), "left"
    ).join(there, ["easting", "northing"], "left")
    near = F.when(F.col("in_city"), F.col("there"))
    rule = (
        F.when(F.col("easting").isNull(), UNLOCATED)
        .when(F.col("own").isNotNull(), INSIDE)
        .when(near.isNotNull(), NEAREST)
        .otherwise(OUTSIDE)
    )
    return joined.select(
        "postcode",
        F.lit(layer).alias("layer"),
        F.coalesce("own", near).alias("code"),
        rule.alias("rule"),
    )


def square_of(easting: Column, northing: Column, metres: int) -> Column:
    """The Ordnance Survey's name of the square a point lies in, as 'SP0786' for 1,000 metres.

    A square holds its west and south edge: a point on a line is in the square that begins there.
    """
    e100, n100 = F.floor(easting / 100_000).cast("int"), F.floor(northing / 100_000).cast("int")
    down = F.lit(19) - n100
    first = (down - down % 5) + F.floor((e100 + 10) / 5).cast("int")
    second = (down * 5) % 25 + e100 % 5
    letters = F.lit(_LETTERS)
    digits = {100: 3, 1_000: 2, 10_000: 1}[metres]
    rest = [
        F.lpad(F.floor(axis % 100_000 / metres).cast("string"), digits, "0")
        for axis in (easting, northing)
    ]
    return F.concat(
        F.substring(letters, first + 1, F.lit(1)), F.substring(letters, second + 1, F.lit(1)), *rest
    )


def squares(sites: DataFrame, bounds: DataFrame, metres: int, layer: str) -> DataFrame:
    """Whole squares that share ground with the bounds, or hold a place: the columns of an area.

    Args:
        sites: `easting`, `northing` of the city's postcodes.
        bounds: One row, `bounds`.
        metres: Side of a square.
        layer: The layer's name.
    """

    def steps(axis: str) -> str:
        least, most = (
            f"floor(ST_{axis}Min(bounds) / {metres})",
            f"floor(ST_{axis}Max(bounds) / {metres})",
        )
        return f"explode(sequence(int({least}), int({most})))"

    over = (
        bounds.select("bounds", F.expr(steps("X")).alias("column"))
        .select("bounds", "column", F.expr(steps("Y")).alias("row"))
        .withColumn("square", _square("column", "row", metres))
        .where("ST_Intersects(bounds, square) AND ST_Area(ST_Intersection(bounds, square)) > 0")
        .select("column", "row")
    )
    held = sites.select(
        *(
            F.floor(F.col(axis) / metres).cast("int").alias(name)
            for axis, name in (("easting", "column"), ("northing", "row"))
        )
    )
    code = square_of(F.col("column") * metres, F.col("row") * metres, metres)
    return (
        over.union(held)
        .distinct()
        .select(
            F.lit(layer).alias("layer"),
            code.alias("code"),
            code.alias("name"),
            _square("column", "row", metres).alias("geometry"),
        )
    )


def _square(column: str, row: str, metres: int) -> Column:
    sides = ", ".join(
        f"double(({axis} + {step}) * {metres})" for step in (0, 1) for axis in (column, row)
    )
    return F.expr(f"ST_PolygonFromEnvelope({sides})")


def placed_by_square(located: DataFrame, metres: int, layer: str) -> DataFrame:
    """Where each postcode lies in the grid: `postcode`, `layer`, `code`, `rule`."""
    square = square_of(F.col("easting"), F.col("northing"), metres)
    rule = (
        F.when(F.col("easting").isNull(), UNLOCATED)
        .when(F.col("in_city"), INSIDE)
        .otherwise(OUTSIDE)
    )
    return located.select(
        "postcode",
        F.lit(layer).alias("layer"),
        F.when(F.col("in_city"), square).alias("code"),
        rule.alias("rule"),
    )
