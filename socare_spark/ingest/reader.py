"""The one pass over extract files: read as strings, convert, check, pseudonymise, stage.

Files with the same header, encoding and dialect are one scan. The result is staged as Parquet in
the restricted zone: values of good rows, nothing of bad ones but their place and the rules they
break. Everything after that reads the stage, never the CSV again.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from socare_spark.contracts.contract import UTF_16, Contract, Field, normalise_header
from socare_spark.ingest.conversion import (
    age,
    clean_cell,
    convert,
    is_unit,
    pack_failed_rules,
    rules,
)
from socare_spark.ingest.csv_records import MAX_RECORD_BYTES
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.ingest.pseudonym import Keyring, digest, normalise_columns, token
from socare_spark.lake.paths import literal_path

_CORRUPT = "_corrupt"
# Spark reads few encodings: others of one byte a character are read as Latin-1 and put right.
_READ_AS = {"utf-8": "utf-8", "us-ascii": "utf-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE"}
_LATIN = "iso-8859-1"
DIGEST = "_digest"
MASK = "_mask"
ROW = "_row"


def read_extracts(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """The rows of a dataset's files, as they are staged.

    Returns:
        The columns of the restricted table but `source_file` and `line`; `_digest`, the person's
        whole digest; `_file`, the index in `files`; `_block` and `_row`,
        which order rows within a file; `_mask0` and further, the rules the row breaks. Values of a
        row that breaks one are null.
    """
    facts = _file_metadata(spark, contract, files, keyring)
    frames = [_clean_rows(spark, contract, group, keyring) for group in group_by_layout(files)]
    rows = reduce(DataFrame.unionByName, frames)
    return _convert_rows(rows.join(facts, "_path").drop("_path"), contract, keyring)


def group_by_layout(files: Sequence[ReadableFile]) -> list[list[ReadableFile]]:
    """Files in groups that one scan reads."""
    groups: dict[tuple[object, ...], list[ReadableFile]] = defaultdict(list)
    for file in files:
        profile = file.profile
        kinds = tuple(sorted(profile.passed_over))
        whole = _read_whole(file)
        same = (file.columns, profile.header, profile.encoding, whole, profile.spaces_only, kinds)
        groups[same].append(file)
    return list(groups.values())


def internal_names(contract: Contract) -> dict[str, str]:
    """The names of the fields while they are read: outputs may repeat where fields are dropped."""
    return {field.name: normalise_header(field.name) for field in contract.fields}


def rule_names(contract: Contract, keyring: Keyring) -> list[tuple[str, str]]:
    """Code and column of each rule, in the order of their bits."""
    nothing = dict.fromkeys((f.name for f in contract.fields), F.lit(None).cast("string"))
    schemes = keyring.project.schemes
    found = rules(contract, nothing, nothing, F.lit(None), F.lit(False), schemes=schemes)
    return [(rule.code, rule.column) for rule in found]


def _file_metadata(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """One small row a file: its path, index, as-of day, and the pads of the contract's schemes.

    The pads are data of a broadcast, so that no plan, log or listener ever holds them. They go to
    Java through memory alone.
    """
    schemes = _schemes(contract)
    pads = {scheme: keyring.pads(scheme) for scheme in schemes}
    names = [f"_{side}{i}" for i, _ in enumerate(schemes) for side in ("inner", "outer")]
    blocks = [block for s in schemes for block in (pads[s].inner, pads[s].outer)]
    facts = pa.table(
        {
            "_path": pa.array([_uri(spark, f.landed.path) for f in files], pa.string()),
            "_file": pa.array(range(len(files)), pa.int32()),
            "_as_of": pa.array([f.landed.as_of for f in files], pa.date32()),
            **{
                name: pa.array([block] * len(files), pa.binary())
                for name, block in zip(names, blocks, strict=True)
            },
        }
    )
    return F.broadcast(_in_memory(spark, facts).withColumn("_path", F.xxhash64("_path")))


def _in_memory(spark: SparkSession, rows: pa.Table) -> DataFrame:
    """The rows as a frame; no file holds them on the way.

    `createDataFrame` writes a temporary file, except where I/O encryption is on.
    """
    jvm: Any = spark.sparkContext._jvm
    batches = jvm.java.util.ArrayList()
    for batch in rows.to_batches():
        batches.add(batch.serialize().to_pybytes())
    scala = jvm.scala.jdk.javaapi.CollectionConverters.asScala(batches.iterator())
    schema = from_arrow_schema(rows.schema).json()
    return DataFrame(jvm.PythonSQLUtils.toDataFrame(scala, schema, spark._jsparkSession), spark)


def _schemes(contract: Contract) -> list[str]:
    return sorted({f.socare.pseudonymise for f in contract.fields if f.socare.pseudonymise})


def _uri(spark: SparkSession, path: Path) -> str:
    """A path as Spark's `input_file_name` writes it."""
    jvm: Any = spark.sparkContext._jvm
    uri = jvm.org.apache.hadoop.fs.Path(f"file:{path.resolve()}").toUri()
    return f"file://{uri.getRawPath()}"


def _clean_rows(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """Cells by field instead of by position, identifiers normalised, and each row's place."""
    columns = {c: f"c{i}" for i, c in enumerate(files[0].columns) if c is not None}
    ascii_only = all(f.profile.ascii_only for f in files)
    internal = internal_names(contract)
    missing, spaces_only = contract.schema_.missing_values, files[0].profile.spaces_only

    def cell(field: Field) -> Column:
        if field.name not in columns:
            return F.lit(None).cast("string")
        return clean_cell(F.col(columns[field.name]), missing, spaces_only=spaces_only)

    cells = scan(spark, files).select(
        "_path",
        "_block",
        F.monotonically_increasing_id().alias("_row"),
        F.col(_CORRUPT).isNotNull().alias("_shapeless"),
        *[cell(f).alias(f"t_{internal[f.name]}") for f in contract.fields],
    )
    schemes = {
        f"t_{internal[f.name]}": keyring.project.schemes[f.socare.pseudonymise]
        for f in contract.fields
        if f.socare.pseudonymise and f.name in columns
    }
    return normalise_columns(cells, schemes, ascii_only=ascii_only)


def scan(spark: SparkSession, files: Sequence[ReadableFile]) -> DataFrame:
    """The cells of files that share a header, as strings `c0`, `c1` and so on by position."""
    first = files[0]
    passed_over = first.profile.passed_over
    names = [f"c{i}" for i in range(len(first.columns))]
    schema = StructType([StructField(n, StringType()) for n in [*names, _CORRUPT]])
    encoding = first.profile.encoding
    reader = spark.read.schema(schema).options(
        # Spark takes the first line for the header, which is another where lines come before it.
        header=not passed_over["before"],
        sep=first.landed.contract.dialect.delimiter,
        quote='"',
        escape='"',
        encoding=_READ_AS.get(encoding, _LATIN),
        multiLine=_read_whole(first),
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_CORRUPT,
        columnPruning=False,
        # No cell is longer: preflight has measured the record.
        maxCharsPerColumn=max(MAX_RECORD_BYTES, *_lengths(first.landed.contract)),
    )
    frame = reader.csv([literal_path(f.landed.path) for f in files])
    if passed_over:
        frame = frame.where(_is_record(names, first))
    return frame.select(
        *[_recode(F.col(name), encoding).alias(name) for name in names],
        _CORRUPT,
        # A third of what the hidden column `_metadata` costs, which is a copy of every row; as a
        # number it is looked up sooner. Two files of one number would give more rows than records.
        F.xxhash64(F.input_file_name()).alias("_path"),
        F.input_file_block_start().alias("_block"),
    )


def _lengths(contract: Contract) -> list[int]:
    return [field.constraints.max_length or 0 for field in contract.fields]


def _read_whole(file: ReadableFile) -> bool:
    """Whether one task reads the file: its lines are no records, or no bytes end them."""
    return file.profile.multiline or file.profile.encoding in UTF_16


def _is_record(names: Sequence[str], file: ReadableFile) -> Column:
    """Whether a row is neither without a value nor the header nor a line `sep=`."""
    delimiter = file.landed.contract.dialect.delimiter
    sparse = f'^[\\x00-\\x20"\\x{ord(delimiter):02x}]*$'
    short = F.col(_CORRUPT).isNull() | F.col(_CORRUPT).rlike(sparse)
    cells = [F.coalesce(F.col(name), F.lit("")) for name in names]
    blank = reduce(lambda a, b: a & b, [cell.rlike(r"^[\x00-\x20]*$") for cell in cells])
    header = [
        _normalise_header_column(c) == normalise_header(h)
        for c, h in zip(cells, file.profile.header, strict=True)
    ]
    again = reduce(lambda a, b: a & b, header, F.col(_CORRUPT).isNull())
    record = ~(short & blank) & ~again
    if file.profile.passed_over["before"]:
        rest = reduce(lambda a, b: a & b, [c == "" for c in cells[1:]], F.lit(True))
        record = record & ~((F.lower(F.trim(cells[0])) == "sep=") & rest)
    return record


def _normalise_header_column(cell: Column) -> Column:
    """A cell as `normalise_header` makes it of a header."""
    return F.regexp_replace(F.regexp_replace(F.lower(cell), "[^0-9a-z]+", "_"), "^_+|_+$", "")


def _recode(cell: Column, encoding: str) -> Column:
    """A cell read as Latin-1, with the characters of its own encoding."""
    if encoding in _READ_AS or encoding == _LATIN:
        return cell
    bytes_ = bytes(range(128, 256))
    right = bytes_.decode(encoding, errors="replace")
    pairs = [(a, b) for a, b in zip(bytes_.decode(_LATIN), right, strict=True) if a != b]
    return F.translate(cell, "".join(a for a, _ in pairs), "".join(b for _, b in pairs))


def _convert_rows(clean: DataFrame, contract: Contract, keyring: Keyring) -> DataFrame:
    """Typed values, then checked, then pseudonymised rows: one projection each."""
    internal = internal_names(contract)
    values = [
        convert(f, F.col(f"t_{internal[f.name]}")).alias(f"v_{internal[f.name]}")
        for f in contract.fields
    ]
    valued = clean.select("*", *values)
    found = rules(
        contract,
        {field: F.col(f"t_{name}") for field, name in internal.items()},
        {field: F.col(f"v_{name}") for field, name in internal.items()},
        F.col("_as_of"),
        F.col("_shapeless"),
        schemes=keyring.project.schemes,
    )
    words = pack_failed_rules(found)
    names = [f"{MASK}{i}" for i in range(len(words))]
    checked = valued.select(
        *[c for c in valued.columns if not c.startswith("t_")],
        *[F.coalesce(w, F.lit(0)).alias(n) for w, n in zip(words, names, strict=True)],
    )
    hashed = checked.select("*", *_digests(contract))
    good = reduce(lambda a, b: a & b, [F.col(n) == 0 for n in names])
    return hashed.select(
        *[F.when(good, value).alias(n) for n, value in _outputs(contract) + _digest(contract)],
        F.col("_as_of").alias(contract.socare.extract_column),
        "_file",
        "_block",
        "_row",
        *names,
    )


def _digests(contract: Contract) -> list[Column]:
    schemes, internal = _schemes(contract), internal_names(contract)
    found = []
    for field in contract.fields:
        scheme = field.socare.pseudonymise
        if scheme:
            i = schemes.index(scheme)
            name = internal[field.name]
            value = digest(F.col(f"v_{name}"), F.col(f"_inner{i}"), F.col(f"_outer{i}"))
            found.append(value.alias(f"d_{name}"))
    return found


def _outputs(contract: Contract) -> list[tuple[str, Column]]:
    found: list[tuple[str, Column]] = []
    internal = internal_names(contract)
    for field in contract.fields:
        how, value = field.socare, F.col(f"v_{internal[field.name]}")
        if how.age is not None:
            at = F.col(f"v_{internal[how.age.at]}")
            found.append((how.age.name, age(value, at, how.age.steps)))
        if how.drop:
            continue
        hashed = F.col(f"d_{internal[field.name]}")
        found.append(
            (field.output, token(hashed) if how.pseudonymise else _apply_treatment(field, value))
        )
    return found


def _apply_treatment(field: Field, value: Column) -> Column:
    match field.socare.degrade:
        case "month" | "year" as unit:
            return F.trunc(value, unit)
        case "sector":
            return F.when(is_unit(value), _sector(value))
        case "district":
            return F.when(is_unit(value), F.substring_index(value, " ", 1))
    return value


def _sector(value: Column) -> Column:
    return value.substr(F.lit(1), F.length(value) - 2)


def _digest(contract: Contract) -> list[tuple[str, Column]]:
    person = contract.person
    if person is None:
        return []
    return [(DIGEST, F.unhex(F.col(f"d_{internal_names(contract)[person.name]}")))]
