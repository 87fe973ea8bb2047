"""Checks flows against the contracts of their datasets, before data exist."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from socare_spark.analyses.extracts import contract_of
from socare_spark.analyses.flow.settings import Flow, Settings
from socare_spark.contracts.columns import column_types
from socare_spark.contracts.contract import Contract
from socare_spark.inputs import Need

_TIMES = ("date", "datetime")


def flow_columns(settings: Settings) -> list[Need]:
    """The columns that the flows name."""
    parts = [flow.needs_of_parts.values() for flow in settings.flows]
    of_parts = [need for needs in parts for each in needs for need in each]
    return [*(need for flow in settings.flows for need in flow.needs), *of_parts]


def flow_faults(conf: Path, settings: Settings) -> list[str]:
    """Times that are no dates, and cases of several types or identifier schemes."""
    return [
        f"Flow {flow.flow} {fault}"
        for flow in settings.flows
        for fault in (*_time_faults(conf, flow), *_case_faults(conf, flow))
    ]


def _time_faults(conf: Path, flow: Flow) -> Iterator[str]:
    parts = [*(stage.records for stage in flow.stages), flow.log, flow.matrix, flow.assessed]
    times = dict.fromkeys((p.dataset, p.time) for p in parts if p is not None and p.time)
    for dataset, time in times:
        contract = contract_of(conf, dataset)
        type_ = column_types(contract).get(time, "date") if contract else "date"
        if type_ not in _TIMES:
            yield (
                f"takes its time from {time} of {dataset}, which has the type {type_} in its "
                "contract: it must be a date or a datetime."
            )


def _case_faults(conf: Path, flow: Flow) -> Iterator[str]:
    parts = [*(stage.records for stage in flow.stages), flow.assessed, flow.outcomes]
    cases = dict.fromkeys((p.dataset, p.case) for p in parts if p is not None)
    kinds = {
        f"{case} of {dataset} is {kind}": kind
        for dataset, case in cases
        if (contract := contract_of(conf, dataset)) and (kind := _kind(contract, case))
    }
    if len({*kinds.values()}) > 1:
        yield (
            f"takes its cases from columns of several types or schemes: {', '.join(kinds)}. Give "
            "them one type and one pseudonymisation scheme in their contracts."
        )


def _kind(contract: Contract, column: str) -> str:
    """The scheme or the type of a column; empty if the contract does not keep it."""
    fields: Sequence[str | None] = [
        field.socare.pseudonymise
        for field in contract.fields
        if field.output == column and not field.socare.drop
    ]
    scheme = next(iter(fields), None)
    if scheme:
        return f"pseudonymised under {scheme}"
    type_ = column_types(contract).get(column, "")
    return f"of the type {type_}" if type_ else ""
