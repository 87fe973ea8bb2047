"""Checks names in the settings of analyses: datasets, columns, layers and elements."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql.types import StructField, StructType

from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.vocabulary import Elements
from socare_spark.analysis import Analysis
from socare_spark.configuration.files import FILES
from socare_spark.contracts.columns import PSEUDONYM, column_types
from socare_spark.contracts.contract import Contract
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import (
    Inputs,
    Need,
    check_needs,
    unavailable_results,
    warnings_of_empty_columns,
)
from socare_spark.lake.columns import data_type, is_readable
from socare_spark.lake.lake import Lake
from socare_spark.spelling import closest_names, is_misspelling

# No folder can have this path, so the lake has no table.
_NO_LAKE = Path("/dev/null/lake")
_RESTRICTED = restricted("")
# Spark SQL type of a column by its type in a contract.
_SQL_TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "decimal(12,2)",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp",
    PSEUDONYM: "bigint",
}


@dataclass(frozen=True)
class Configuration:
    """A configuration, as far as it is valid.

    Attributes:
        conf: Its folder.
        contracts: Name -> contract.
        layers: Layers of `places.yaml`; None if the file is missing or invalid.
        elements: `vocabulary/elements.yaml`; None if the file is missing or invalid.
        texts: Path of a contract or of a file of an analysis -> its content.
    """

    conf: Path
    contracts: Mapping[str, Contract]
    layers: frozenset[str] | None
    elements: Elements | None
    texts: Mapping[Path, Any]


def layer_faults(configuration: Configuration, paths: Iterable[Path]) -> Iterator[str]:
    """Yields the layers that `places.yaml` does not have.

    The keys `layer` and `layers` name layers in contracts and in all files of analyses.

    Args:
        configuration: The configuration.
        paths: The files.
    """
    if configuration.layers is None:
        return
    places = configuration.conf / "places.yaml"
    for path in paths:
        for key, value in _items(configuration.texts.get(path)):
            names: Iterable[object] = ()
            if _last(key) == "layer":
                names = (value,)
            elif _last(key) == "layers" and isinstance(value, (list, dict)):
                names = value
            for name in names:
                if isinstance(name, str) and name not in configuration.layers:
                    near = _nearest(name, configuration.layers)
                    yield (
                        f"{path}: {key} names the layer {name}, which {places} does not have{near}."
                    )


def _element_notes(configuration: Configuration, paths: Iterable[Path]) -> Iterator[str]:
    """Yields the elements of an analysis that the vocabulary does not have.

    The key `elements` names elements in all files of analyses, and so does `comparisons`.
    """
    if configuration.elements is None:
        return
    known = {element.code.upper() for element in configuration.elements.elements}
    for path in paths:
        named: dict[str, str] = {}
        for key, value in _items(configuration.texts.get(path)):
            above = key.split(".")[:-1]
            if isinstance(value, str) and {"elements", "comparisons"} & {*above}:
                named.setdefault(value.upper(), key)
        for code, key in named.items():
            if code not in known:
                yield (
                    f"{path}: {key} names the element {code}, which vocabulary/elements.yaml does "
                    f"not have{_nearest(code, known)}."
                )


def analysis_faults(
    configuration: Configuration, analysis: Analysis[Any]
) -> tuple[list[str], list[str]]:
    """Checks the settings of an analysis against contracts.

    A dataset without a contract is a note, because a council does not need every dataset. It is a
    fault if the name is a probable misspelling. An analysis without any dataset is not in use, and
    its names are not checked.

    Returns:
        Faults, and notes about tables that the contracts do not allow. Both are empty if the
        configuration has no file of the analysis.
    """
    conf = configuration.conf
    paths = [p for file in FILES if file.analysis == analysis.name for p in file.paths(conf)]
    if not paths:
        return [], []
    try:
        settings = analysis.load_settings(conf)
        # The inputs read no table.
        inputs = Inputs(None, Lake(_NO_LAKE), conf, None)  # type: ignore[arg-type]
        needs = analysis.needs(inputs, settings)
        check_needs(needs)
    except ConfigurationError as error:
        return [*error.faults], []
    tables = [*analysis.reads(inputs, settings), *analysis.optional(inputs, settings)]
    names = {t.removeprefix(_RESTRICTED) for t in tables if t.startswith(_RESTRICTED)}
    faults, notes = _dataset_findings(configuration, names, paths)
    if not names & {*configuration.contracts}:
        return faults, notes
    faults += layer_faults(configuration, paths)
    notes += _element_notes(configuration, paths)
    missing = _missing(configuration, [*needs, *analysis.named_columns(settings)])
    by_default = []
    for need in missing:
        named = [*_column_faults(configuration, need, paths)]
        faults += named
        by_default += [] if named else [need]
    faults += analysis.faults(conf, settings)
    notes += [
        f"{table} will not be made: it needs {text}."
        for table, text in unavailable_results(by_default).items()
    ]
    return faults, [*notes, *warnings_of_empty_columns(by_default)]


def _dataset_findings(
    configuration: Configuration, names: Iterable[str], paths: Iterable[Path]
) -> tuple[list[str], list[str]]:
    """Faults of misspelled datasets, and a note for each file that names others without a contract.

    Args:
        configuration: The configuration.
        names: Datasets of an analysis.
        paths: The files of the analysis.
    """
    folder, contracts = configuration.conf / "datasets", configuration.contracts
    # An invalid contract is a fault of its own.
    absent = sorted(n for n in {*names} - {*contracts} if not (folder / f"{n}.yaml").is_file())
    faults, notes = [], []
    for path in paths:
        others = []
        for name in absent:
            keys = [
                key
                for key, value in _items(configuration.texts.get(path))
                if name == value or (_last(key) == name and not isinstance(value, dict))
            ]
            near = [known for known in contracts if is_misspelling(name, known)]
            if keys and near:
                faults.append(
                    f"{path}: {keys[0]} names the dataset {name}, which has no contract in "
                    f"{folder}: correct the name to {near[0]}, or write the contract."
                )
            elif keys:
                others.append(name)
        if others:
            notes.append(
                f"{path} names datasets without a contract in {folder}: {', '.join(others)}. "
                "Tables that need one of them are left out."
            )
    return faults, notes


def _missing(configuration: Configuration, needs: Iterable[Need]) -> list[Need]:
    """The needed columns that a contract does not keep, or keeps with another type."""
    schemas = {
        contract.table: StructType(
            [StructField(n, data_type(_SQL_TYPES[t])) for n, t in column_types(contract).items()]
        )
        for contract in configuration.contracts.values()
    }
    return [
        need
        for need in needs
        if need.source in schemas
        and (need.origin is None or not is_readable(schemas[need.source], need.origin, need.type))
    ]


def _column_faults(configuration: Configuration, need: Need, paths: list[Path]) -> Iterator[str]:
    """Yields a fault for each key that names a column; none for the default of a role."""
    dataset = need.source.removeprefix(_RESTRICTED)
    types = column_types(configuration.contracts[dataset])
    for path in paths:
        for key, value in _items(configuration.texts.get(path)):
            if need.origin is None or value != need.origin:
                continue
            where = f"{path}: {key} names the column {value} of {dataset}, which"
            contract = configuration.conf / "datasets" / f"{dataset}.yaml"
            if value in types:
                yield f"{where} has the type {types[value]} in {contract}; it must be {need.type}."
            else:
                yield f"{where} {contract} does not keep{_nearest(str(value), types)}."


def _items(data: object, above: str = "") -> Iterator[tuple[str, object]]:
    """Yields key, as `a.b`, and value of each entry of nested mappings and lists."""
    pairs: list[tuple[object, object]] = []
    if isinstance(data, dict):
        pairs = [*data.items()]
    elif isinstance(data, list):
        pairs = [*enumerate(data)]
    for key, value in pairs:
        name = f"{above}.{key}" if above else str(key)
        yield name, value
        yield from _items(value, name)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = closest_names(name, known)
    return f" (the nearest are {', '.join(near)})" if near else ""
