"""Flows that have their datasets and columns in the lake."""

from collections.abc import Sequence

from socare_spark.analyses.extracts import snapshot_needs
from socare_spark.analyses.flow.contract_check import faults_of
from socare_spark.analyses.flow.settings import ASSESSED, Flow, Settings
from socare_spark.analyses.flow.stages import STAGE_COMPLETION
from socare_spark.errors import MissingInputError, raise_faults
from socare_spark.inputs import Inputs, Need
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS


def available_flows(inputs: Inputs, flows: Sequence[Flow]) -> tuple[list[Flow], list[str]]:
    """Flows with their inputs, without the parts that lack theirs; and warnings of the others.

    Raises:
        ConfigurationError: no flow can be followed, and one has a fault.
        MissingInputError: no flow has its columns.
    """
    available, warnings, faults, without_columns = [], [], [], []
    for flow in flows:
        tables, left_out = flow.missing_tables(inputs), f"Flow {flow.flow} is left out:"
        columns = _texts(inputs.missing(_with_extracts(inputs, flow.needs)))
        if tables:
            warnings.append(f"{left_out} {_absent(tables)}.")
        elif columns:
            without_columns.append(f"{left_out} it needs {columns}.")
        elif of_flow := faults_of(inputs.conf, flow):
            faults += [f"{left_out} {fault}" for fault in of_flow]
        else:
            missing = _missing_parts(inputs, flow)
            available.append(flow.without(missing))
            warnings += [
                f"Flow {flow.flow} is followed without its {_rows_of(flow, part)}: {reason}."
                for part, reason in missing.items()
            ]
    if not available:
        raise_faults(faults)
    if without_columns and not available:
        raise MissingInputError(" ".join(without_columns))
    return available, warnings + without_columns + faults


def _missing_parts(inputs: Inputs, flow: Flow) -> dict[str, str]:
    """Optional part of a flow that lacks its table or columns -> the reason."""
    missing = {}
    for part, needs in flow.needs_of_parts.items():
        absent = sorted({need.source for need in needs if not inputs.exists(need.source)})
        if absent:
            missing[part] = f"{_absent(absent)}, which {part} in conf/{flow.file} names"
        elif columns := _texts(inputs.missing(_with_extracts(inputs, needs))):
            missing[part] = f"it needs {columns}"
    return missing


def _rows_of(flow: Flow, part: str) -> str:
    """An optional part of a flow, and the table that has no rows of the flow without it."""
    is_counted = part == ASSESSED and flow.has_completion
    return f"{part} and its rows of {STAGE_COMPLETION.path}" if is_counted else part


def _with_extracts(inputs: Inputs, needs: Sequence[Need]) -> list[Need]:
    """The needs, and those of the days of snapshots of the same datasets."""
    datasets = dict.fromkeys(need.source.partition("/")[2] for need in needs)
    return [*needs, *(need for name in datasets for need in snapshot_needs(inputs, name))]


def _absent(tables: Sequence[str]) -> str:
    return f"the lake does not have {' and '.join(tables)}"


def _texts(needs: Sequence[Need]) -> str:
    """The needed columns; each once, though several keys can name it."""
    texts: dict[tuple[str, str | None], str] = {}
    for need in needs:
        texts.setdefault((need.source, need.origin), need.text)
    return " and ".join(texts.values())


def required_tables(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of the flows that have all their tables; if there is none, tables of all flows."""
    available = [flow for flow in settings.flows if not flow.missing_tables(inputs)]
    return sorted({name for flow in available or settings.flows for name in flow.required_tables})


def optional_tables(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of the other flows and of optional parts, and the areas of postcodes and places."""
    named = {name for flow in settings.flows for name in flow.tables}
    others = sorted(named.difference(required_tables(inputs, settings)))
    return [*others, POSTCODE_AREAS.path, PLACE_AREAS.path, AREAS.path]
