"""Tables and columns that the sources of series need: elements and requests."""

from collections.abc import Mapping

from socare_spark.analyses.extracts import are_snapshots, extract_need, restricted
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.roles import Tables, role_needs
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.use.settings import SETTINGS as USE_SETTINGS
from socare_spark.analyses.use.settings import roles_in_use
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.table import TableSpec


def missing_inputs(
    inputs: Inputs, settings: ForecastSettings, source: str, tables: list[str]
) -> list[str]:
    """Tables of a source that the lake does not have; if it has all, the missing columns."""
    absent = [name for name in tables if not inputs.exists(name)]
    return absent or [need.text for need in inputs.missing(_columns(inputs, settings, source))]


def _columns(inputs: Inputs, settings: ForecastSettings, source: str) -> list[Need]:
    """Columns that a source requires."""
    if source == "elements":
        until = extract_need(inputs, settings.agreements)
        return [until] if inputs.as_of is None else []
    wanted = settings.requests
    if wanted is None:
        return []
    required: dict[str, Tables] = {"description": ()}
    if wanted.roles.count:
        required["count"] = ()
    # The extracts of a quarter have the quarter of their requests, so that no day is needed.
    if are_snapshots(inputs, wanted.dataset):
        required["time"] = ()
    return [*_request_needs(wanted, needed_by=required), extract_need(inputs, wanted.dataset)]


def source_needs(inputs: Inputs, settings: ForecastSettings, table: TableSpec) -> list[Need]:
    """Columns of all sources. The roles `end` of agreements and `person` are optional.

    Args:
        inputs: The inputs of the run.
        settings: The settings.
        table: The table of forecasts.
    """
    needed = source_tables(settings)
    columns = [n for source in needed for n in _columns(inputs, settings, source)]
    if "elements" in needed:
        dataset, end = settings.agreements, {"end": ()}
        columns += role_needs(
            dataset, roles_in_use(inputs.conf, dataset), USE_SETTINGS, needed_by=end
        )
    wanted = settings.requests
    if "requests" in needed and wanted is not None:
        columns += _request_needs(wanted, needed_by={"time": ()}, empty_in={"person": (table,)})
    return columns


def _request_needs(
    wanted: RequestSettings,
    needed_by: Mapping[str, Tables],
    empty_in: Mapping[str, Tables] | None = None,
) -> list[Need]:
    return role_needs(
        wanted.dataset,
        wanted.roles,
        SETTINGS,
        needed_by=needed_by,
        empty_in=empty_in,
        key="requests.roles",
    )


def source_tables(settings: ForecastSettings) -> dict[str, list[str]]:
    """Source of the settings -> its tables."""
    needed = {}
    if settings.elements:
        needed["elements"] = [USERS_BY_QUARTER.path, restricted(settings.agreements)]
    wanted = settings.requests
    if wanted is not None and (wanted.descriptions or wanted.top):
        needed["requests"] = [restricted(wanted.dataset)]
    return needed
