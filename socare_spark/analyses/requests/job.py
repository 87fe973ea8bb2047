"""The `requests` analysis: service requests by snapshot.

A snapshot is a copy of the whole system, so nothing is added up across snapshots. Descriptions are
compared verbatim: "Bins" and "Bins." are different. Source: thesis 6.2, Tables 24 and 25.
"""

from pyspark.sql import DataFrame

from socare_spark.analyses.extracts import SNAPSHOT, extract_need, in_snapshots, restricted
from socare_spark.analyses.requests.counts import (
    REQUEST_SINGLE_USE,
    REQUEST_SNAPSHOTS,
    by_description,
    request_counts,
    request_single_use,
    request_snapshots,
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
    request_variants,
)
from socare_spark.analyses.roles import role_needs
from socare_spark.analysis import Analysis, Context, Frame, Result
from socare_spark.charts.use_spans import draw_ranks
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect, collect_one
from socare_spark.lake.table import TableSpec


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables from one read of the requests."""
    rows, warnings = in_snapshots(inputs, settings.dataset)
    described = rows.dropna(subset=[SNAPSHOT, "service_description"])
    counts = request_counts(described).cache()
    result = request_results(counts, settings)
    return Result(result.tables, warnings=[*warnings, *result.warnings])


def request_results(counts: DataFrame, settings: Settings) -> Result:
    """Builds all tables.

    Args:
        counts: Result of `request_counts`.
        settings: The settings.
    """
    snapshots = collect_one(REQUEST_SNAPSHOTS.path, request_snapshots(counts))
    by_day = snapshots.sort_values("snapshot")
    days = [*by_day["snapshot"]]
    counted, most = by_description(counts), settings.variants.most
    frames = collect(
        {
            REQUEST_TOP.path: most_requested(counted, settings.top),
            REQUEST_VARIANTS.path: most_used(counted, max(days, default=None), most),
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
    newest = by_day["descriptions"].tail(1)
    return Result(tables, warnings=not_compared(int(newest.sum()), most))


def draw(context: Context, settings: Settings) -> None:
    """Draws the ranks of the most frequent descriptions by snapshot."""
    frame = context.lake.to_pandas(REQUEST_TOP)
    path = context.lake.pictures / "request_ranks.png"
    if len(frame):
        context.picture(draw_ranks(frame, settings.drawn, path, "working/request_top"))


_WRITES = (REQUEST_SNAPSHOTS, REQUEST_TOP, REQUEST_SINGLE_USE, REQUEST_VARIANTS)


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    dataset, roles = settings.dataset, settings.roles
    needed_by, empty_in = {"description": _WRITES}, {"person": _WRITES}
    return [
        *role_needs(dataset, roles, SETTINGS, needed_by, empty_in),
        extract_need(inputs, dataset, *_WRITES),
    ]


ANALYSIS = Analysis(
    name="requests",
    description="Counts service requests by snapshot: totals, top, single use, variants.",
    load_settings=load_settings,
    reads=lambda _, settings: [restricted(settings.dataset)],
    writes=_WRITES,
    needs=_needs,
    build=build,
    draw=draw,
)
