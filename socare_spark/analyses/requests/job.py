"""The `requests` analysis: service requests by extract.

A snapshot is a copy of the whole system, so nothing is added up across snapshots. Extracts of a
dataset without snapshots are parts of all records; spelling variants are then those of all extracts
together. Descriptions are compared verbatim: "Bins" and "Bins." are different. Source: thesis 6.2,
Tables 24 and 25.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import (
    SNAPSHOT,
    are_snapshots,
    by_extract,
    extract_need,
    restricted,
    warnings_of_parts,
)
from socare_spark.analyses.requests.counts import (
    REQUEST_SINGLE_USE,
    REQUEST_SNAPSHOTS,
    by_description,
    request_counts,
    request_single_use,
    request_snapshots,
    request_totals,
)
from socare_spark.analyses.requests.settings import SETTINGS, Settings, load_settings
from socare_spark.analyses.requests.top import (
    REQUEST_TOP,
    most_requested,
    ranks_before,
    request_top,
    wanted_before,
)
from socare_spark.analyses.requests.variants import (
    REQUEST_VARIANTS,
    most_used,
    not_compared,
    of_snapshot,
    request_variants,
)
from socare_spark.analyses.roles import role_needs
from socare_spark.analyses.row_counts import counted_rows
from socare_spark.analysis import Analysis, Context, Frame, Result
from socare_spark.charts.use_spans import draw_ranks
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect, collect_one
from socare_spark.lake.table import TableSpec

# Name of a collected frame, for messages.
_DESCRIPTIONS = "number of descriptions"
# Largest number of extracts in the picture.
_MOST_DRAWN = 12


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables from one read of the requests."""
    warnings = warnings_of_parts(inputs, settings.dataset)
    described, of_counts = counted_rows(
        by_extract(inputs, settings.dataset).dropna(subset=[SNAPSHOT, "service_description"]),
        settings.dataset,
        settings.roles.count,
    )
    counts = request_counts(described).cache()
    whole = None if are_snapshots(inputs, settings.dataset) else request_totals(described).cache()
    result = request_results(counts, settings, whole)
    return Result(result.tables, warnings=[*warnings, *of_counts, *result.warnings])


def request_results(
    counts: DataFrame, settings: Settings, whole: DataFrame | None = None
) -> Result:
    """Builds all tables.

    Args:
        counts: Result of `request_counts`.
        settings: The settings.
        whole: Result of `request_totals` for extracts that are parts; None for snapshots.
    """
    snapshots = collect_one(REQUEST_SNAPSHOTS.path, request_snapshots(counts))
    days = [*snapshots["snapshot"].sort_values()]
    counted, most = by_description(counts), settings.variants.most
    newest = max(days, default=None)
    current = of_snapshot(counted, newest) if whole is None else whole
    number = current.agg(F.count(F.lit(1)).alias("descriptions"))
    frames = collect(
        {
            REQUEST_TOP.path: most_requested(counted, settings.top),
            REQUEST_VARIANTS.path: most_used(current, most),
            _DESCRIPTIONS: number,
        }
    )
    top, used = frames[REQUEST_TOP.path], frames[REQUEST_VARIANTS.path]
    before = collect_one(REQUEST_TOP.path, ranks_before(counted, wanted_before(top, days)))
    tables: dict[TableSpec, Frame] = {
        REQUEST_SNAPSHOTS: snapshots,
        REQUEST_TOP: request_top(top, before),
        REQUEST_SINGLE_USE: request_single_use(counted, settings.single_use_contains),
        REQUEST_VARIANTS: request_variants(used, settings.variants.shortest),
    }
    descriptions = int(frames[_DESCRIPTIONS]["descriptions"].iloc[0])
    return Result(tables, warnings=not_compared(descriptions, most))


def draw(context: Context, settings: Settings) -> None:
    """Draws the ranks of the most frequent descriptions in the newest extracts."""
    top = context.lake.to_pandas(REQUEST_TOP)
    frame = top[top["snapshot"].isin(sorted(top["snapshot"].unique())[-_MOST_DRAWN:])]
    path = context.lake.pictures / "request_ranks.png"
    if len(frame):
        context.picture(draw_ranks(frame, settings.drawn, path, "working/request_top"))


_WRITES = (REQUEST_SNAPSHOTS, REQUEST_TOP, REQUEST_SINGLE_USE, REQUEST_VARIANTS)


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    dataset, roles = settings.dataset, settings.roles
    needed_by = {"description": _WRITES} | ({"count": _WRITES} if roles.count else {})
    empty_in = {"person": _WRITES}
    return [
        *role_needs(dataset, roles, SETTINGS, needed_by=needed_by, empty_in=empty_in),
        extract_need(inputs, dataset, *_WRITES),
    ]


ANALYSIS = Analysis(
    name="requests",
    description="Counts service requests by extract: totals, top, single use, variants.",
    load_settings=load_settings,
    settings_files=("analyses/requests.yaml",),
    reads=lambda _, settings: [restricted(settings.dataset)],
    writes=_WRITES,
    needs=_needs,
    build=build,
    draw=draw,
)
