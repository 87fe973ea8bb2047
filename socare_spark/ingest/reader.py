"""Reads extract files in one pass: reads cells as text, converts, checks and pseudonymises them.

Files with the same header, encoding and dialect are read by one scan. The result is staged as
Parquet in the restricted zone. It has the values of valid rows; of an invalid row it has only the
position and the failed rules. All later steps read the stage and not the CSV files.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.field import Field
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.place_columns import PLACE
from socare_spark.ingest.conversion import (
    age,
    clean_cell,
    convert,
    local_day,
    local_time,
    missing_meaning,
    pack_failed_rules,
    place_key,
    rules,
)
from socare_spark.ingest.csv_records import MAX_RECORD_BYTES
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.ingest.pseudonym import Keyring, digest, normalise_columns, token
from socare_spark.postcode_columns import district_of, is_unit_postcode, sector_of
from socare_spark.storage.location import literal_path

_CORRUPT_RECORD = "_corrupt"
# Encodings that Spark reads. Others have one byte per character; they are read as Latin-1 and
# recoded.
_SPARK_ENCODINGS = {
    "utf-8": "utf-8",
    "us-ascii": "utf-8",
    "utf-16le": "UTF-16LE",
    "utf-16be": "UTF-16BE",
}
_LATIN_1 = "iso-8859-1"
DIGEST = "_digest"
MASK = "_mask"
ROW = "_row"


def read_extracts(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """Reads, converts, checks and pseudonymises the rows of a dataset's files.

    Args:
        spark: The session.
        contract: The contract.
        files: The files.
        keyring: The keyring for the tokens.

    Returns:
        The columns of the restricted table without `source_file` and `line`; `_digest`, the full
        digest of the person; `_file`, the index in `files`; `_block` and `_row`, which order rows
        within a file; `_mask0`, `_mask1` and so on, the bits of the failed rules. The values of an
        invalid row are null.
    """
    metadata = _file_metadata(spark, contract, files, keyring)
    frames = [_clean_rows(spark, contract, group, keyring) for group in group_by_layout(files)]
    rows = reduce(DataFrame.unionByName, frames)
    return _convert_rows(rows.join(metadata, "_path").drop("_path"), contract, keyring)


def group_by_layout(files: Sequence[ReadableFile]) -> list[list[ReadableFile]]:
    """Groups files that one scan can read."""
    groups: dict[tuple[object, ...], list[ReadableFile]] = defaultdict(list)
    for file in files:
        profile = file.profile
        skipped = tuple(sorted(profile.skipped))
        single_task = _needs_single_task(file)
        layout = (
            file.columns,
            profile.header,
            profile.encoding,
            single_task,
            profile.spaces_only,
            skipped,
        )
        groups[layout].append(file)
    return list(groups.values())


def internal_names(contract: Contract) -> dict[str, str]:
    """Field name -> unique name of its column while it is read.

    Output names are not used because those of dropped fields can repeat.
    """
    return {field.name: normalise_header(field.name) for field in contract.fields}


def rule_names(contract: Contract, keyring: Keyring) -> list[tuple[str, str]]:
    """Code and column of each rule of a contract, in the order of their bits."""
    nulls = dict.fromkeys((f.name for f in contract.fields), F.lit(None).cast("string"))
    schemes = keyring.project.schemes
    all_rules = rules(contract, nulls, nulls, F.lit(None), F.lit(False), schemes=schemes)
    return [(rule.code, rule.column) for rule in all_rules]


def _file_metadata(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """Builds a broadcast frame with one row for each file.

    The pads are broadcast data and pass to Java through memory, so no plan, log, listener or file
    contains them.

    Returns:
        `_path`, the hash of the path; `_file`, the index; `_as_of`, the as-of day; `_inner0`,
        `_outer0` and so on, the pads of the contract's schemes.
    """
    schemes = _schemes(contract)
    pads = {scheme: keyring.pads(scheme) for scheme in schemes}
    names = [f"_{side}{i}" for i, _ in enumerate(schemes) for side in ("inner", "outer")]
    blocks = [block for scheme in schemes for block in (pads[scheme].inner, pads[scheme].outer)]
    metadata = pa.table(
        {
            "_path": pa.array(
                [_input_file_name(spark, file.location) for file in files], pa.string()
            ),
            "_file": pa.array(range(len(files)), pa.int32()),
            "_as_of": pa.array([file.landed.as_of for file in files], pa.date32()),
            **{
                name: pa.array([block] * len(files), pa.binary())
                for name, block in zip(names, blocks, strict=True)
            },
        }
    )
    return F.broadcast(_in_memory(spark, metadata).withColumn("_path", F.xxhash64("_path")))


def _in_memory(spark: SparkSession, rows: pa.Table) -> DataFrame:
    """Converts an Arrow table to a DataFrame in memory.

    `createDataFrame` would write a temporary file unless I/O encryption is on.
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


def _input_file_name(spark: SparkSession, location: str) -> str:
    """A path or a URI in the form that Spark's `input_file_name` returns."""
    jvm: Any = spark.sparkContext._jvm
    path = jvm.org.apache.hadoop.fs.Path(f"file:{location}" if location[0] == "/" else location)
    uri = path.toUri()
    return f"{uri.getScheme()}://{uri.getAuthority() or ''}{uri.getRawPath()}"


def _clean_rows(
    spark: SparkSession, contract: Contract, files: Sequence[ReadableFile], keyring: Keyring
) -> DataFrame:
    """Reads files of one layout and cleans their cells.

    Returns:
        `_path`, `_block` and `_row`, the position of the row; `_shapeless`, whether it has another
        number of cells than the header; `t_NAME`, the cleaned cell of each field (for an identifier
        its normalised text); `m_NAME`, the meaning of a missing value of a field with a status.
    """
    columns = {c: f"c{i}" for i, c in enumerate(files[0].columns) if c is not None}
    ascii_only = all(f.profile.ascii_only for f in files)
    internal = internal_names(contract)
    spaces_only = files[0].profile.spaces_only

    def cell(field: Field) -> Column:
        if field.name not in columns:
            return F.lit(None).cast("string")
        missing = contract.schema_.missing_texts(field)
        return clean_cell(F.col(columns[field.name]), missing, spaces_only=spaces_only)

    def meaning(field: Field) -> Column:
        if field.name not in columns:
            return F.lit(None).cast("string")
        raw = F.col(columns[field.name])
        return missing_meaning(raw, field.missing_meanings, spaces_only=spaces_only)

    cells = scan(spark, files).select(
        "_path",
        "_block",
        F.monotonically_increasing_id().alias("_row"),
        F.col(_CORRUPT_RECORD).isNotNull().alias("_shapeless"),
        *[cell(f).alias(f"t_{internal[f.name]}") for f in contract.fields],
        *[meaning(f).alias(f"m_{internal[f.name]}") for f in contract.fields if f.socare.status],
    )
    schemes = {
        f"t_{internal[f.name]}": keyring.project.schemes[f.socare.pseudonymise]
        for f in contract.fields
        if f.socare.pseudonymise and f.name in columns
    }
    return normalise_columns(cells, schemes, ascii_only=ascii_only)


def scan(spark: SparkSession, files: Sequence[ReadableFile]) -> DataFrame:
    """Reads the cells of files of one layout as text.

    Returns:
        One row for each record: `c0`, `c1` and so on, the cells by position; `_corrupt`, the record
        if it has another number of cells than the header; `_path`, the hash of the path; `_block`,
        the start of the block in the file.
    """
    first = files[0]
    skipped = first.profile.skipped
    names = [f"c{i}" for i in range(len(first.columns))]
    schema = StructType([StructField(n, StringType()) for n in [*names, _CORRUPT_RECORD]])
    encoding = first.profile.encoding
    reader = spark.read.schema(schema).options(
        # Spark treats the first line as header, which is wrong if lines come before the header.
        header=not skipped["before"],
        sep=first.profile.delimiter,
        quote='"',
        escape='"',
        encoding=_SPARK_ENCODINGS.get(encoding, _LATIN_1),
        multiLine=_needs_single_task(first),
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_CORRUPT_RECORD,
        columnPruning=False,
        # No cell is longer: profile_file has checked the length of each record.
        maxCharsPerColumn=max(MAX_RECORD_BYTES, *_max_lengths(first.landed.contract)),
    )
    frame = reader.csv([literal_path(f.location) for f in files])
    if skipped:
        frame = frame.where(_is_record(names, first))
    return frame.select(
        *[_recode(F.col(name), encoding).alias(name) for name in names],
        _CORRUPT_RECORD,
        # This costs a third of the hidden column `_metadata`, which copies each row. A number is
        # faster to join. If two paths had one hash, the row count would exceed the record count.
        F.xxhash64(F.input_file_name()).alias("_path"),
        F.input_file_block_start().alias("_block"),
    )


def _max_lengths(contract: Contract) -> list[int]:
    return [field.constraints.max_length or 0 for field in contract.fields]


def _needs_single_task(file: ReadableFile) -> bool:
    """Whether one task must read the file because it cannot be split at line ends."""
    return file.profile.multiline or file.profile.encoding in UTF_16


def _is_record(names: Sequence[str], file: ReadableFile) -> Column:
    """Condition for records: rows that are not blank, a repeated header or a line `sep=`."""
    delimiter = file.profile.delimiter
    blank_line = f'^[\\x00-\\x20"\\x{ord(delimiter):02x}]*$'
    can_be_blank = F.col(_CORRUPT_RECORD).isNull() | F.col(_CORRUPT_RECORD).rlike(blank_line)
    cells = [F.coalesce(F.col(name), F.lit("")) for name in names]
    blank = reduce(lambda a, b: a & b, [cell.rlike(r"^[\x00-\x20]*$") for cell in cells])
    header = [
        _normalise_header_column(c) == normalise_header(h)
        for c, h in zip(cells, file.profile.header, strict=True)
    ]
    repeats_header = reduce(lambda a, b: a & b, header, F.col(_CORRUPT_RECORD).isNull())
    is_record = ~(can_be_blank & blank) & ~repeats_header
    if file.profile.skipped["before"]:
        rest_is_empty = reduce(lambda a, b: a & b, [c == "" for c in cells[1:]], F.lit(True))
        is_record = is_record & ~((F.lower(F.trim(cells[0])) == "sep=") & rest_is_empty)
    return is_record


def _normalise_header_column(cell: Column) -> Column:
    """Spark version of `normalise_header`."""
    return F.regexp_replace(F.regexp_replace(F.lower(cell), "[^0-9a-z]+", "_"), "^_+|_+$", "")


def _recode(cell: Column, encoding: str) -> Column:
    """Converts a cell that was read as Latin-1 to its declared encoding."""
    if encoding in _SPARK_ENCODINGS or encoding == _LATIN_1:
        return cell
    bytes_ = bytes(range(128, 256))
    declared = bytes_.decode(encoding, errors="replace")
    pairs = [(a, b) for a, b in zip(bytes_.decode(_LATIN_1), declared, strict=True) if a != b]
    return F.translate(cell, "".join(a for a, _ in pairs), "".join(b for _, b in pairs))


def _convert_rows(clean: DataFrame, contract: Contract, keyring: Keyring) -> DataFrame:
    """Converts, checks and pseudonymises cleaned rows, in one projection each."""
    internal = internal_names(contract)
    values = [
        convert(f, F.col(f"t_{internal[f.name]}")).alias(f"v_{internal[f.name]}")
        for f in contract.fields
    ]
    converted = clean.select("*", *values, *_place(contract))
    all_rules = rules(
        contract,
        {field: F.col(f"t_{name}") for field, name in internal.items()},
        {field: F.col(f"v_{name}") for field, name in internal.items()},
        F.col("_as_of"),
        F.col("_shapeless"),
        schemes=keyring.project.schemes,
    )
    words = pack_failed_rules(all_rules)
    names = [f"{MASK}{i}" for i in range(len(words))]
    checked = converted.select(
        *[c for c in converted.columns if not c.startswith("t_")],
        *[F.coalesce(w, F.lit(0)).alias(n) for w, n in zip(words, names, strict=True)],
    )
    hashed = checked.select("*", *_digests(contract))
    is_valid = reduce(lambda a, b: a & b, [F.col(n) == 0 for n in names])
    return hashed.select(
        *[F.when(is_valid, value).alias(n) for n, value in _outputs(contract) + _digest(contract)],
        F.col("_as_of").alias(contract.socare.extract_column),
        "_file",
        "_block",
        "_row",
        *names,
    )


def _place(contract: Contract) -> list[Column]:
    """The place of a record as the column `_place`; empty without declared columns."""
    declared, internal = contract.socare.place, internal_names(contract)
    if declared is None:
        return []
    key = place_key(declared, *(F.col(f"t_{internal[name]}") for name in declared.columns))
    return [key.alias("_place")]


def _digests(contract: Contract) -> list[Column]:
    schemes, internal = _schemes(contract), internal_names(contract)
    columns = []
    for field in contract.fields:
        scheme = field.socare.pseudonymise
        if scheme:
            i = schemes.index(scheme)
            name = internal[field.name]
            value = digest(F.col(f"v_{name}"), F.col(f"_inner{i}"), F.col(f"_outer{i}"))
            columns.append(value.alias(f"d_{name}"))
    return columns


def _outputs(contract: Contract) -> list[tuple[str, Column]]:
    columns: list[tuple[str, Column]] = []
    internal = internal_names(contract)
    for field in contract.fields:
        treatment, value = field.socare, F.col(f"v_{internal[field.name]}")
        if treatment.age is not None:
            at = contract.field(treatment.age.at)
            age_date = local_time(at, F.col(f"v_{internal[at.name]}"))
            born = local_time(field, value)
            columns.append((treatment.age.name, age(born, age_date, treatment.age.steps)))
        if treatment.day is not None:
            columns.append((treatment.day, local_day(field, value)))
        if treatment.status is not None:
            columns.append((treatment.status, F.col(f"m_{internal[field.name]}")))
        if treatment.drop:
            continue
        hashed = F.col(f"d_{internal[field.name]}")
        columns.append(
            (
                field.output,
                token(hashed) if treatment.pseudonymise else _apply_treatment(field, value),
            )
        )
    if contract.socare.place is not None:
        columns.append((PLACE, F.col("_place")))
    return columns


def _apply_treatment(field: Field, value: Column) -> Column:
    match field.socare.degrade:
        case "month" | "year" as unit:
            return F.trunc(local_time(field, value), unit)
        case "sector":
            return F.when(is_unit_postcode(value), sector_of(value))
        case "district":
            return F.when(is_unit_postcode(value), district_of(value))
    return value


def _digest(contract: Contract) -> list[tuple[str, Column]]:
    person = contract.person
    if person is None:
        return []
    return [(DIGEST, F.unhex(F.col(f"d_{internal_names(contract)[person.name]}")))]
