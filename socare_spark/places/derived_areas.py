"""Derived areas: postcode sectors, postcode districts and grid squares.

A postcode sector has no published boundary. Here it is the ground that is nearer to one of its
postcodes than to a postcode of another sector. The Voronoi cells of the postcodes are dissolved and
cut to the city, so that sectors and districts each tile the city exactly. Grid squares are not cut,
because the density of a sliver at the city's edge has no meaning.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.checkpoint import checkpointed
from socare_spark.places.assignment import INSIDE, NEAREST, OUTSIDE, UNLOCATED
from socare_spark.places.geometry import polygons_of, union_of

_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # the grid's own alphabet has no I


def voronoi_cells(sites: DataFrame, bounds: DataFrame) -> DataFrame:
    """Voronoi cells of the points that have postcodes.

    A point with postcodes of several sectors belongs to the sector with the most postcodes there,
    and of equal ones to the lowest.

    Args:
        sites: `easting`, `northing`, `sector`, `district`; one row per postcode.
        bounds: One row, `bounds`: the geometry that the cells must cover.

    Returns:
        One row per point: `easting`, `northing`, `sector`, `district`, `geometry`. The cells are
        not cut to the bounds.
    """
    by_place = ["easting", "northing"]
    places = checkpointed(
        sites.groupBy(*by_place, "sector", "district")
        .agg((-F.count(F.lit(1))).alias("fewer"))
        .groupBy(*by_place)
        .agg(F.min(F.struct("fewer", "sector", "district")).alias("first"))
        .select(*by_place, "first.sector", "first.district", _point().alias("point"))
    )
    # Sorted, because the last digits of the diagram depend on the order of the points.
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
    # Each cell contains exactly one point. The diagram does not identify it, so a join finds it.
    spread = diagram.repartition(places.sparkSession.sparkContext.defaultParallelism)
    cells = spread.join(F.broadcast(places), F.expr("ST_Covers(geometry, point)"))
    return cells.select(*by_place, "sector", "district", "geometry")


def _point() -> Column:
    return F.expr("ST_Point(double(easting), double(northing))")


def reach_of(sites: DataFrame, metres: float) -> DataFrame:
    """Ground within a distance of any site, as one row `bounds`; used where no layer bounds it."""
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
    """One row per sector: `sector`, `district`, `geometry` (union of its cells, not cut)."""
    return cells.groupBy("sector", "district").agg(union_of("geometry").alias("geometry"))


def dissolved(grounds: DataFrame, level: str, layer: str, bounds: DataFrame) -> DataFrame:
    """Areas of one level, cut to the bounds.

    They are cut after the union. Neighbours that are cut first do not meet exactly.

    Args:
        grounds: Result of `sector_grounds`.
        level: `sector` or `district`.
        layer: The layer's name.
        bounds: One row, `bounds`.

    Returns:
        One row per area: `layer`, `code`, `name`, `geometry`.
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
    """Assigns each postcode to an area of a derived layer by the text of the postcode.

    A sector has no area if another sector has more postcodes at each of its points. A postcode of
    the city in such a sector belongs to the area at its point, with the rule `nearest`.

    Args:
        located: `postcode`, `easting`, `northing`, `sector`, `district`, `in_city`.
        areas: Areas of the layer.
        cells: Voronoi cells from which the areas were made.
        level: `sector` or `district`.
        layer: The layer's name.

    Returns:
        One row per postcode: `postcode`, `layer`, `code`, `rule`.
    """
    codes = areas.select(F.col("code"))
    text_codes = codes.select(F.col("code").alias("text_code"))
    cell_codes = cells.select("easting", "northing", F.col(level).alias("cell_code")).join(
        codes.withColumnRenamed("code", "cell_code"), "cell_code", "left_semi"
    )
    joined = located.join(
        F.broadcast(text_codes), (F.col(level) == F.col("text_code")) & F.col("in_city"), "left"
    ).join(cell_codes, ["easting", "northing"], "left")
    near = F.when(F.col("in_city"), F.col("cell_code"))
    rule = (
        F.when(F.col("easting").isNull(), UNLOCATED)
        .when(F.col("text_code").isNotNull(), INSIDE)
        .when(near.isNotNull(), NEAREST)
        .otherwise(OUTSIDE)
    )
    return joined.select(
        "postcode",
        F.lit(layer).alias("layer"),
        F.coalesce("text_code", near).alias("code"),
        rule.alias("rule"),
    )


def square_of(easting: Column, northing: Column, metres: int) -> Column:
    """Ordnance Survey name of the grid square of a point, such as 'SP0786' for 1,000 metres.

    A square includes its west and south edges and excludes its east and north edges.
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
    """Whole grid squares that overlap the bounds or contain a site.

    Args:
        sites: `easting`, `northing` of the city's postcodes.
        bounds: One row, `bounds`.
        metres: Side of a square in metres.
        layer: The layer's name.

    Returns:
        One row per square: `layer`, `code`, `name`, `geometry`.
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
    """Assigns each postcode to a grid square: `postcode`, `layer`, `code`, `rule`."""
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
