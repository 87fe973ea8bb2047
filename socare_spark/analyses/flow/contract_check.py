"""Checks flows against the contracts of their datasets, before data exist."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from socare_spark.analyses.extracts import contract_of
from socare_spark.analyses.flow.parts import Matrix
from socare_spark.analyses.flow.settings import Flow, Settings
from socare_spark.analyses.roles import DAY, NUMBER, TIME, Column, type_faults
from socare_spark.contracts.columns import column_types
from socare_spark.contracts.contract import Contract
from socare_spark.inputs import Need


def flow_columns(settings: Settings) -> list[Need]:
    """The columns that the flows name."""
    parts = [flow.needs_of_parts.values() for flow in settings.flows]
    of_parts = [need for needs in parts for each in needs for need in each]
    return [*(need for flow in settings.flows for need in flow.needs), *of_parts]


def flow_faults(conf: Path, settings: Settings) -> list[str]:
    """Faults of all flows."""
    return [fault for flow in settings.flows for fault in faults_of(conf, flow)]


def faults_of(conf: Path, flow: Flow) -> list[str]:
    """Times and counts of other types, local times as days, and cases of several types or schemes.

    A column that a contract does not keep is no fault here: the flow, or a part of it, needs it.
    """
    of_cases = (f"conf/{flow.file}: the flow {fault}" for fault in _case_faults(conf, flow))
    return [*_type_faults(conf, flow), *of_cases]


def _type_faults(conf: Path, flow: Flow) -> Iterator[str]:
    columns: dict[str, dict[str, tuple[str, Column]]] = {}
    for key, dataset, name, column in _typed_columns(flow):
        columns.setdefault(dataset, {})[key] = (name, column)
    for dataset, of_dataset in columns.items():
        yield from type_faults(conf, flow.file, dataset, of_dataset)


def _typed_columns(flow: Flow) -> Iterator[tuple[str, str, str, Column]]:
    """Yields key, dataset, name and declaration of the times, days and counts of a flow."""
    single = flow.single_stage
    for key, part in flow.parts.items():
        is_single = single is not None and part is flow.records_of(single.stage)
        # Months of movements and lengths in days are those of days. Other times are moments.
        time = DAY if is_single or isinstance(part, Matrix) else TIME
        for name, column in (("time", time), ("count", NUMBER)):
            if name in part.named:
                yield f"{key}.{name}", part.dataset, part.named[name], column
    if single is not None:
        yield "single_stage.end", flow.dataset_of(single.stage), single.end, DAY


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
