"""Describes the files of a landing folder as a Data Package, for other tools."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.field import Field
from socare_spark.errors import ConfigurationError, DataError
from socare_spark.ingest.canonical_csv import csv_of
from socare_spark.ingest.discovery import discover_files
from socare_spark.ingest.file_profile import read_head, read_start
from socare_spark.ingest.header import columns_of
from socare_spark.ingest.landed_file import LandedFile

PACKAGE = "datapackage.json"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def write_package(landing: Path, contracts: Sequence[Contract]) -> tuple[Path, list[str]]:
    """Writes `datapackage.json` beside a landing folder.

    Files of a dataset with the same header, encoding and format are one resource.

    Args:
        landing: The landing folder.
        contracts: The contracts.

    Returns:
        The file, and one sentence for each file that is left out.

    Raises:
        ConfigurationError: the file exists.
        DataError: no contract has a file.
    """
    resources: list[dict[str, object]] = []
    left_out: list[str] = []
    for contract in contracts:
        files, refused, _ = discover_files(landing, contract)
        left_out += [f"{file.landed.name}: {file.reason}." for file in refused]
        if contract.format == "xml" and files:
            left_out.append(f"{files[0].name} and others: a Data Package has no XML resources.")
            continue
        resources += _resources(landing, contract, files, left_out)
    if not resources:
        raise DataError(
            f"No file of {landing} belongs to a contract: compare the names of the files with "
            "socare.files of the contracts."
        )
    path = landing.absolute().parent / PACKAGE
    package = {"$schema": _PROFILE, "name": landing.absolute().name, "resources": resources}
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(package, indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists and is not overwritten: move or delete it first."
        ) from None
    return path, left_out


def _resources(
    landing: Path, contract: Contract, files: Sequence[LandedFile], left_out: list[str]
) -> Iterator[dict[str, object]]:
    """The resources of a dataset: one for each group of files with one form."""
    groups: dict[tuple[tuple[str, ...], str], list[LandedFile]] = {}
    for landed in files:
        try:
            form = (_header(landed), _encoding(landed))
        except (DataError, OSError) as error:
            reason = str(error) if isinstance(error, DataError) else "it cannot be read"
            left_out.append(f"{landed.name}: {reason}.")
            continue
        groups.setdefault(form, []).append(landed)
    for number, ((header, encoding), group) in enumerate(groups.items(), start=1):
        name = contract.name if number == 1 else f"{contract.name}-{number}"
        paths = [f"{landing.absolute().name}/{landed.name}" for landed in group]
        texts = {"title": contract.title, "description": contract.description}
        yield {
            "name": name,
            **{key: text for key, text in texts.items() if text},
            "path": paths if len(paths) > 1 else paths[0],
            "format": contract.format,
            "mediatype": _MEDIA_TYPES[contract.format],
            **({"encoding": encoding} if contract.format == "csv" else {}),
            "dialect": _dialect(contract),
            "schema": _schema(contract, header, group),
        }


def _header(landed: LandedFile) -> tuple[str, ...]:
    """The header of a file as ingest reads it."""
    with tempfile.TemporaryDirectory() as folder:
        file = csv_of(landed, Path(folder))
        return read_head(file.path, file.encoding, file.delimiter).header


def _encoding(landed: LandedFile) -> str:
    if landed.contract.format != "csv":
        return ""
    found = read_start(landed.path, landed.encoding).encoding
    # Other tools find the byte order by the mark, and read it as text without this name.
    is_marked = found in UTF_16 and landed.path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
    return "utf-16" if is_marked else found


def _dialect(contract: Contract) -> dict[str, object]:
    dialect: dict[str, object] = contract.dialect.model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    return {"delimiter": contract.dialect.delimiter, **dialect} if _is_csv(contract) else dialect


def _is_csv(contract: Contract) -> bool:
    return contract.format == "csv"


def _schema(
    contract: Contract, header: Sequence[str], files: Sequence[LandedFile]
) -> dict[str, object]:
    """The schema of files with one header. Columns of no field have any type."""
    names = columns_of(header, contract, files[0].as_of)
    fields = [
        {"name": text, "type": "any"} if name is None else _field(contract.field(name), text)
        for name, text in zip(names, header, strict=True)
    ]
    schema: dict[str, object] = {
        "fields": fields,
        "missingValues": list(dict.fromkeys(["", *contract.schema_.missing_values])),
    }
    by_name = dict(zip(names, header, strict=True))
    key = [by_name.get(name, "") for name in contract.key_fields]
    # In several files a key can repeat: a newer extract supersedes an older one.
    if key and all(key) and len(files) == 1:
        schema["primaryKey"] = key
    return schema


def _field(field: Field, header: str) -> dict[str, object]:
    """A field in the form of the standard, under its name in the file."""
    # The standard has no brackets or other currencies around numbers.
    other = {*field.currencies} - {"£", "$", "€"}
    is_text = bool(field.socare.brackets or other or field.socare.open_ended)
    declared: dict[str, object] = {"name": header, "type": "string" if is_text else field.type}
    declared |= {k: t for k, t in (("title", field.title), ("description", field.description)) if t}
    if not is_text:
        declared |= _typed(field)
    missing: list[object] = [
        {"value": text, "label": label} if label else text
        for text, label in (field.missing_values or {}).items()
    ]
    if field.missing_values is not None:
        # An empty cell is always missing.
        declared["missingValues"] = missing if "" in field.missing_values else ["", *missing]
    limits = {"minimum", "maximum"} if is_text else set()
    constraints = field.constraints.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude=limits
    )
    return {**declared, **({"constraints": constraints} if constraints else {})}


def _typed(field: Field) -> Mapping[str, object]:
    keys: dict[str, object] = {}
    if field.is_date and len(field.formats) > 1:
        # The standard has one format for each field.
        keys["format"] = "any"
    elif field.is_date and field.format not in (None, "default"):
        keys["format"] = field.format
    if field.type in ("integer", "number"):
        keys |= {"groupChar": field.group_char} if field.group_char else {}
        keys |= {"bareNumber": False} if field.currencies else {}
        keys |= {"decimalChar": field.decimal_char} if field.decimal_char != "." else {}
    if field.is_boolean:
        keys |= {"trueValues": [*field.true_values], "falseValues": [*field.false_values]}
    return keys
