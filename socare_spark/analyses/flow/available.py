"""Flows that have their datasets and columns in the lake."""

from collections.abc import Sequence

from socare_spark.analyses.flow.settings import Flow, Settings
from socare_spark.errors import MissingInputError
from socare_spark.inputs import Inputs, Need
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS


def available_flows(inputs: Inputs, flows: Sequence[Flow]) -> tuple[list[Flow], list[str]]:
    """Flows with their inputs, without the parts that lack columns; and warnings of the others.

    Raises:
        MissingInputError: no flow has its columns.
    """
    available, warnings, without_columns = [], [], []
    for flow in flows:
        tables = flow.missing_tables(inputs)
        columns = _texts(inputs.missing(flow.needs))
        if tables:
            warnings.append(
                f"Flow {flow.flow} is left out: the lake does not have {' and '.join(tables)}."
            )
        elif columns:
            without_columns.append(f"Flow {flow.flow} is left out: it needs {columns}.")
        else:
            missing = _missing_parts(inputs, flow)
            available.append(flow.model_copy(update=dict.fromkeys(missing)))
            warnings += [
                f"Flow {flow.flow} is followed without its {part}: it needs {columns}."
                for part, columns in missing.items()
            ]
    if without_columns and not available:
        raise MissingInputError(" ".join(without_columns))
    return available, warnings + without_columns


def _missing_parts(inputs: Inputs, flow: Flow) -> dict[str, str]:
    """Optional part of a flow that lacks columns -> the columns."""
    columns = {part: _texts(inputs.missing(needs)) for part, needs in flow.needs_of_parts.items()}
    return {part: text for part, text in columns.items() if text}


def _texts(needs: Sequence[Need]) -> str:
    return " and ".join(dict.fromkeys(need.text for need in needs))


def required_tables(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of the flows that have all their tables; if there is none, tables of all flows."""
    available = [flow for flow in settings.flows if not flow.missing_tables(inputs)]
    return sorted({name for flow in available or settings.flows for name in flow.tables})


def optional_tables(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of the other flows, and the areas of postcodes and recorded places."""
    named = {name for flow in settings.flows for name in flow.tables}
    others = sorted(named.difference(required_tables(inputs, settings)))
    return [*others, POSTCODE_AREAS.path, PLACE_AREAS.path, AREAS.path]
