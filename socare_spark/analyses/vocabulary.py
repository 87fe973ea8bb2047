"""The council's words: its elements, and the categories of outcomes, teams and combinations.

What the vocabulary does not list is never lost: an outcome counts as `Unknown`, a team as `Others`
(the thesis has both as categories, Table 12), a combination as `Unmapped`. A code of an element is
mended by the declared list of spellings alone.
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
# The driver compares no more codes than these, the most common ones.
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
    """`conf/vocabulary/subprocesses.yaml`: sub-process -> its reasons, or single REASON/OUTCOME."""

    subprocesses: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        _each_once(entry.upper() for entries in self.subprocesses.values() for entry in entries)
        return self


class Element(StrictModel):
    """A service element: its code, and what the code says."""

    code: str
    description: str = ""
    service: str = ""
    client_group: str = ""
    weekly_cost: tuple[float, ...] = ()


class Elements(StrictModel):
    """`conf/vocabulary/elements.yaml`; `mended` has spellings and the code of each."""

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
    """`conf/vocabulary/outcomes.yaml`: each code once."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.code.upper() for word in self.root)
        return self


class Teams(RootModel[tuple[Team, ...]]):
    """`conf/vocabulary/teams.yaml`: each name once."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.name.strip().upper() for word in self.root)
        return self


def _each_once(entries: Iterable[str]) -> None:
    twice = [entry for entry, times in Counter(entries).items() if times > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands in more than one place")


def as_team(text: Column) -> Column:
    """A team's name as teams are compared: without blanks at the ends, in upper case."""
    return F.upper(coded_text.trimmed(text))


def read_elements(conf: Path) -> list[str]:
    """Codes of the known service elements, in upper case."""
    return [word.code.upper() for word in read_element_words(conf).elements]


def read_canonical_codes(conf: Path) -> Mapping[str, str]:
    """Spellings of elements that are mended -> the code that is meant; both in upper case."""
    return {
        wrong.upper(): right.upper() for wrong, right in read_element_words(conf).mended.items()
    }


def read_services(conf: Path) -> Mapping[str, str]:
    """Codes of the known services, in upper case -> what they are called."""
    return {code.upper(): label for code, label in read_element_words(conf).services.items()}


def read_element_words(conf: Path) -> Elements:
    """All that the vocabulary says of elements."""
    return read_model(conf / "vocabulary" / "elements.yaml", Elements)


def canonical_code(code: Column, list_: Mapping[str, str]) -> Column:
    """A code in upper case, or the one that is meant by its spelling."""
    plain = F.upper(F.trim(code))
    if not list_:
        return plain
    pairs = [F.lit(text) for pair in list_.items() for text in pair]
    return F.coalesce(F.try_element_at(F.create_map(*pairs), plain), plain)


def warn_unknown_codes(
    context: Context,
    named: str,
    wanted: Iterable[str],
    present: Iterable[str | None],
    lacking: str = "no record has",
    *,
    near: Iterable[str] | None = None,
) -> None:
    """Notes each code of the configuration that is nowhere, with its nearest spellings.

    Args:
        context: The run that gets the warnings.
        named: Where it stands and what it is, as `analyses/elements.yaml names the element`.
        wanted: The codes.
        present: Those that there are.
        lacking: Who does not have it.
        near: Those of them that may be quoted as its nearest; None means any.
    """
    known = sorted({code for code in present if code})
    quoted = known if near is None else sorted({*near})
    for code in dict.fromkeys(wanted):
        if code not in known:
            close = difflib.get_close_matches(code, quoted, n=3, cutoff=0.6)
            like = f"; the nearest are {', '.join(close)}" if close else ""
            context.run.warnings.append(f"{named} {code}, which {lacking}{like}.")


def codes_present(frame: DataFrame, column: str, wanted: Iterable[str]) -> list[str]:
    """The codes of a column for `warn_unknown_codes`: those wanted, and the most common others.

    Args:
        frame: The records.
        column: Column of codes.
        wanted: The codes asked for.
    """
    asked = [*dict.fromkeys(wanted)]
    counted = frame.where(F.col(column).isNotNull()).groupBy(column).count()
    common = counted.orderBy(F.desc("count"), column).limit(MOST_COMPARED)
    rows = counted.where(F.col(column).isin(*asked)).union(common).select(column).distinct()
    return [row[0] for row in rows.collect()]


def read_ethnic_groups(conf: Path) -> Mapping[str, str]:
    """Ethnic classes, by label and by code -> the group of each."""
    words = read_model(conf / "vocabulary" / "ethnicities.yaml", Ethnicities).root
    return {text: word.group for word in words for text in (word.label, word.code)}


class Claim(NamedTuple):
    """What a sub-process claims: a reason with an outcome, or with any where that is None."""

    reason: str
    outcome: str | None
    subprocess: str


def read_claims(conf: Path) -> list[Claim]:
    """What the sub-processes claim, codes in upper case."""
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
    """Categories of outcomes: code (in upper case), outcome_category."""
    words = read_model(conf / "vocabulary" / "outcomes.yaml", Outcomes).root
    rows = [(word.code.upper(), word.category) for word in words]
    return spark.createDataFrame(rows, "code string, outcome_category string")


def read_teams(spark: SparkSession, conf: Path) -> DataFrame:
    """Categories of teams: team (as `as_team` makes it), team_category."""
    words = read_model(conf / "vocabulary" / "teams.yaml", Teams).root
    named = spark.createDataFrame(
        [(w.name, w.category) for w in words], "name string, category string"
    )
    return named.select(
        as_team(F.col("name")).alias("team"), F.col("category").alias("team_category")
    )
