"""The council's vocabulary: elements, and categories of outcomes, teams and combinations.

Values that the vocabulary does not list are kept: an outcome counts as `Unknown`, a team as
`Others` (both are categories in the thesis, Table 12), a combination as `Unmapped`. Codes of
elements are corrected only by the declared list of spellings.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import RootModel, model_validator
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analysis import Context
from socare_spark.config import StrictModel, read_model

SUBPROCESSES = "vocabulary/subprocesses.yaml"
UNKNOWN, OTHERS, UNMAPPED = "Unknown", "Others", "Unmapped"
# Limit of the codes that the driver compares; the most common ones are used.
MOST_COMPARED = 2_000


class Outcome(StrictModel):
    """One entry of `conf/vocabulary/outcomes.yaml`."""

    code: str
    label: str
    category: str


class Team(StrictModel):
    """One entry of `conf/vocabulary/teams.yaml`."""

    name: str
    category: str


class Subprocesses(StrictModel):
    """`conf/vocabulary/subprocesses.yaml`: sub-process -> entries REASON or REASON/OUTCOME."""

    subprocesses: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        _each_once(entry.upper() for entries in self.subprocesses.values() for entry in entries)
        return self


class Element(StrictModel):
    """A service element: its code and its description."""

    code: str
    description: str = ""
    service: str = ""
    client_group: str = ""
    weekly_cost: tuple[float, ...] = ()


class Elements(StrictModel):
    """`conf/vocabulary/elements.yaml`. `mended` maps spellings to the canonical code."""

    mended: Mapping[str, str] = {}
    client_groups: Mapping[str, str] = {}
    services: Mapping[str, str] = {}
    elements: tuple[Element, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.code.upper() for word in self.elements)
        return self


class Ethnicity(StrictModel):
    """One entry of `conf/vocabulary/ethnicities.yaml`: a class of the census and its group."""

    code: str
    label: str
    group: str


class Ethnicities(RootModel[tuple[Ethnicity, ...]]):
    """`conf/vocabulary/ethnicities.yaml`."""


class Outcomes(RootModel[tuple[Outcome, ...]]):
    """`conf/vocabulary/outcomes.yaml`. Codes are unique."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.code.upper() for word in self.root)
        return self


class Teams(RootModel[tuple[Team, ...]]):
    """`conf/vocabulary/teams.yaml`. Names are unique."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.name.strip().upper() for word in self.root)
        return self


def _each_once(entries: Iterable[str]) -> None:
    repeated = [entry for entry, times in Counter(entries).items() if times > 1]
    if repeated:
        raise ValueError(f"{repeated[0]} is listed more than once")


def as_team(text: Column) -> Column:
    """Name of a team for comparison: in upper case, without white space at its ends."""
    return F.upper(coded_text.trimmed(text))


def read_elements(conf: Path) -> list[str]:
    """Reads the codes of the known service elements, in upper case."""
    return [word.code.upper() for word in read_element_words(conf).elements]


def read_services(conf: Path) -> Mapping[str, str]:
    """Reads the known services: code in upper case -> label."""
    return {code.upper(): label for code, label in read_element_words(conf).services.items()}


def read_element_words(conf: Path) -> Elements:
    """Reads the vocabulary of elements."""
    return read_model(conf / "vocabulary" / "elements.yaml", Elements)


def warn_unknown_codes(
    context: Context,
    named: str,
    wanted: Iterable[str],
    present: Iterable[str | None],
    lacking: str = "no record has",
    *,
    near: Iterable[str] | None = None,
) -> None:
    """Warns of each code of the configuration that the data do not have, with similar codes.

    Args:
        context: The run that gets the warnings.
        named: Subject of the sentence, such as `analyses/elements.yaml names the element`.
        wanted: Codes of the configuration.
        present: Codes of the data.
        lacking: Clause about the data, such as `no record has`.
        near: Codes of the data that may be listed as similar; None means all.
    """
    present_codes = sorted({code for code in present if code})
    quoted = present_codes if near is None else sorted({*near})
    for code in dict.fromkeys(wanted):
        if code not in present_codes:
            close = difflib.get_close_matches(code, quoted, n=3, cutoff=0.6)
            like = f"; the nearest are {', '.join(close)}" if close else ""
            context.run.warnings.append(f"{named} {code}, which {lacking}{like}.")


def codes_present(frame: DataFrame, column: str, wanted: Iterable[str]) -> list[str]:
    """Codes of a column for `warn_unknown_codes`: the wanted codes and the most common others.

    Args:
        frame: The records.
        column: Column of codes.
        wanted: Codes of the configuration.
    """
    wanted_codes = [*dict.fromkeys(wanted)]
    counted = frame.where(F.col(column).isNotNull()).groupBy(column).count()
    common = counted.orderBy(F.desc("count"), column).limit(MOST_COMPARED)
    rows = counted.where(F.col(column).isin(*wanted_codes)).union(common).select(column).distinct()
    return [row[0] for row in rows.collect()]


def read_ethnic_groups(conf: Path) -> Mapping[str, str]:
    """Reads ethnic groups: label or code of an ethnic class -> its group."""
    words = read_model(conf / "vocabulary" / "ethnicities.yaml", Ethnicities).root
    return {text: word.group for word in words for text in (word.label, word.code)}


class Claim(NamedTuple):
    """Assignment of a reason and an outcome to a sub-process. An outcome of None means any."""

    reason: str
    outcome: str | None
    subprocess: str


def read_claims(conf: Path) -> list[Claim]:
    """Reads the claims of the sub-processes, with codes in upper case."""
    words = read_model(conf / SUBPROCESSES, Subprocesses)
    return [
        _claim(entry.upper(), name)
        for name, entries in words.subprocesses.items()
        for entry in entries
    ]


def _claim(entry: str, subprocess: str) -> Claim:
    reason, _, outcome = entry.partition("/")
    return Claim(reason.strip(), outcome.strip() or None, subprocess)


def read_outcomes(spark: SparkSession, conf: Path) -> DataFrame:
    """Reads outcomes. One row per outcome: code (in upper case), outcome_category."""
    words = read_model(conf / "vocabulary" / "outcomes.yaml", Outcomes).root
    rows = [(word.code.upper(), word.category) for word in words]
    return spark.createDataFrame(rows, "code string, outcome_category string")


def read_teams(spark: SparkSession, conf: Path) -> DataFrame:
    """Reads teams. One row per team: team (result of `as_team`), team_category."""
    words = read_model(conf / "vocabulary" / "teams.yaml", Teams).root
    named = spark.createDataFrame(
        [(w.name, w.category) for w in words], "name string, category string"
    )
    return named.select(
        as_team(F.col("name")).alias("team"), F.col("category").alias("team_category")
    )
