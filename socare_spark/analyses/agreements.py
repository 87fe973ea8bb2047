"""Reader of agreements: person, age, year, postcode, service, element and cost."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from pathlib import Path

from pydantic import RootModel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.element_codes import canonical_code, read_canonical_codes
from socare_spark.analyses.extracts import (
    are_snapshots,
    contract_of,
    current_rows,
    extract_need,
    restricted,
)
from socare_spark.analyses.roles import Age, Cost, Day, Person, Roles, Tables, Text, role_needs
from socare_spark.analyses.row_counts import counted_rows
from socare_spark.config import read_model
from socare_spark.contracts.contract import Contract
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs, Need
from socare_spark.measures.agreement_cost import cost_of_days, days_open
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.person_counts import COUNT, number_of_records

VOCABULARY = "vocabulary/age_bands.yaml"
_END = "agreement_end"


class AgreementRoles(Roles):
    """Roles of the columns of agreements.

    Attributes:
        person: Person with the agreement.
        start: First day.
        end: Last day; a missing value means that the agreement is open.
        element: Code of the service element.
        cost: Weekly cost in pounds.
        place: Postcode, or another key of `reference/postcode_areas`.
    """

    person: Person = "person"
    start: Day = "agreement_start"
    end: Day = _END
    element: Text = "element"
    cost: Cost = "weekly_cost"
    place: Text = "postcode"


class AgedAgreementRoles(AgreementRoles):
    """Roles of the columns of agreements with the age of the person.

    Attributes:
        age: Age of the person at the start, in completed years.
    """

    age: Age = "age_at_start"


def agreement_needs(
    inputs: Inputs,
    dataset: str,
    roles: AgreementRoles,
    file: str,
    *,
    needed_by: Mapping[str, Tables],
    empty_in: Mapping[str, Tables],
) -> list[Need]:
    """Columns of agreements that an analysis reads.

    Without an as-of date open agreements run to the newest extract, and of snapshots the newest one
    counts. All results then need the column with the day of the extract.

    Args:
        inputs: The inputs of the run.
        dataset: Name of the dataset.
        roles: Roles of its columns.
        file: Configuration file of the roles.
        needed_by: Role -> results that require it.
        empty_in: Role -> results with null values if it is missing.
    """
    needs = role_needs(dataset, roles, file, needed_by=needed_by, empty_in=empty_in)
    results = (table for tables in (*needed_by.values(), *empty_in.values()) for table in tables)
    needs_day = inputs.as_of is None or are_snapshots(inputs, dataset)
    results_to_extract = dict.fromkeys(results) if needs_day else ()
    return [*needs, extract_need(inputs, dataset, *results_to_extract)]


class AgeBands(RootModel[dict[str, tuple[Band, ...]]]):
    """Named sets of age bands in `conf/vocabulary/age_bands.yaml`."""


def read_bands(conf: Path, name: str, dataset: str = "") -> tuple[Band, ...]:
    """Reads a named set of age bands.

    Args:
        conf: Folder of the council's configuration.
        name: Name of the set.
        dataset: Dataset whose contract is checked against the bands, if any.

    Raises:
        ConfigurationError: the vocabulary has no set of this name, or an edge of a band is not
            among the steps of age in the dataset's contract.
    """
    sets: Mapping[str, tuple[Band, ...]] = read_model(conf / VOCABULARY, AgeBands).root
    if name not in sets:
        raise ConfigurationError(
            f"{VOCABULARY} has no set of age bands '{name}'; it has {', '.join(sets)}."
        )
    contract = contract_of(conf, dataset)
    if contract is not None:
        _check_edges(contract, name, sets[name])
    return sets[name]


def _check_edges(contract: Contract, name: str, bands: Sequence[Band]) -> None:
    steps = {
        step for field in contract.fields if field.socare.age for step in field.socare.age.steps
    }
    edges = {edge for band in bands for edge in (band.start, band.end) if edge}
    if steps and not edges <= steps:
        raise ConfigurationError(
            f"{VOCABULARY} has the set of age bands '{name}' with the edges "
            f"{_listed(edges - steps)}, which are not among the steps of age in the contract "
            f"{contract.name}. Add them to its steps and run ingest again."
        )


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def read_agreements(
    inputs: Inputs, counts: Mapping[str, str | None]
) -> tuple[DataFrame, list[str]]:
    """Reads the records of some datasets of agreements.

    Args:
        inputs: The inputs of the run.
        counts: Dataset -> its column of the role `count`; None if each row is one agreement.

    Returns:
        One row per agreement: `dataset`, `person`, `age` (at the start), `year` (of the start),
        `postcode`, `service` (in upper case), `element` (canonical code), `cost` (pounds, result of
        `cost_to`), and COUNT if a dataset has a role `count`. Warnings about rows without a valid
        count.
    """
    spellings, frames, warnings = read_canonical_codes(inputs.conf), [], []
    with_count = any(counts.values())
    for dataset, column in counts.items():
        rows, of_counts = counted_rows(current_rows(inputs, dataset), dataset, column)
        number = [number_of_records(rows).cast("bigint").alias(COUNT)] if with_count else []
        columns = _agreement_columns(inputs, dataset, spellings)
        frames.append(rows.select(*columns, *number))
        warnings += of_counts
    return reduce(DataFrame.unionByName, frames), warnings


def cost_to(inputs: Inputs, dataset: str, until: date) -> Column:
    """Cost in pounds: weekly cost / 7 x days from the start to the end, or to a day while open.

    Null where the start is not known, and for a dataset without the role `end`, because the
    duration of its agreements is not known.
    """
    start, end = F.col("agreement_start"), F.col(_END)
    if not inputs.has_column(restricted(dataset), _END, "date"):
        return F.lit(None).cast("decimal(20,2)")
    cost = cost_of_days(F.col("weekly_cost"), days_open(start, end, start, F.lit(until)))
    return F.when(start.isNotNull(), cost)


def with_band(records: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """Adds `age_band` of the age at the start; `unknown` if the age is in no band."""
    return records.withColumn("age_band", band_of(F.col("age"), bands))


def in_band(bands: Sequence[Band], label: str | None) -> Column:
    """Condition that the age of a record is in an age band.

    Args:
        bands: The set of age bands.
        label: Label of one of the bands; None means all ages.
    """
    if label is None:
        return F.lit(True)
    return band_of(F.col("age"), bands) == label


def _agreement_columns(inputs: Inputs, dataset: str, spellings: Mapping[str, str]) -> list[Column]:
    return [
        F.lit(dataset).alias("dataset"),
        F.col("person"),
        F.col("age_at_start").alias("age"),
        F.year("agreement_start").alias("year"),
        F.col("postcode"),
        F.upper(F.trim("service")).alias("service"),
        canonical_code(F.col("element"), spellings).alias("element"),
        cost_to(inputs, dataset, last_day(inputs, dataset)).alias("cost"),
    ]
