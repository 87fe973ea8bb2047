"""The council's vocabulary: elements, and categories of outcomes, teams and combinations.

Values that the vocabulary does not list are kept: an outcome counts as `Unknown`, a team as
`Others` (both are categories in the thesis, Table 12), a combination as `Unmapped`. Codes of
elements are corrected only by the declared list of spellings.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import pandas as pd
from pydantic import RootModel, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.config import StrictModel, read_model
from socare_spark.spelling import closest_names

SUBPROCESSES = "vocabulary/subprocesses.yaml"
UNKNOWN, OTHERS, UNMAPPED = "Unknown", "Others", "Unmapped"
# Codes up to this number get a warning each; of more codes one warning names as many.
_MOST_WARNINGS = 3
# Limit of the codes that the driver compares; the most common ones are used.
MOST_COMPARED = 2_000


class Outcome(StrictModel):
    """One entry of `conf/vocabulary/outcomes.yaml`.

    Attributes:
        code: Code of the outcome: the text before the dash of `CODE - label`.
        label: Description of the outcome.
        category: Category in `working/outcome_by_team`.
    """

    code: str
    label: str
    category: str


class Team(StrictModel):
    """One entry of `conf/vocabulary/teams.yaml`.

    Attributes:
        name: Name of the team in the records, in any case.
        category: Category in `working/outcome_by_team`.
    """

    name: str
    category: str


class Subprocesses(StrictModel):
    """`conf/vocabulary/subprocesses.yaml`.

    Attributes:
        subprocesses: Sub-process -> entries REASON or REASON/OUTCOME.
    """

    subprocesses: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        _each_once(entry.upper() for entries in self.subprocesses.values() for entry in entries)
        return self


class Element(StrictModel):
    """A service element.

    Attributes:
        code: Code in the records, in any case.
        description: Description of the element.
        service: Code of its service.
        client_group: Code of its client group.
        weekly_cost: Usual range of the weekly cost in pounds.
    """

    code: str
    description: str = ""
    service: str = ""
    client_group: str = ""
    weekly_cost: tuple[float, ...] = ()


class Elements(StrictModel):
    """`conf/vocabulary/elements.yaml`.

    Attributes:
        mended: Misspelled code in the records -> correct code.
        client_groups: Code of a client group -> its name.
        services: Code of a service -> its name.
        elements: The service elements.
    """

    mended: Mapping[str, str] = {}
    client_groups: Mapping[str, str] = {}
    services: Mapping[str, str] = {}
    elements: tuple[Element, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        _each_once(word.code.upper() for word in self.elements)
        return self


class Ethnicity(StrictModel):
    """One entry of `conf/vocabulary/ethnicities.yaml`: a class of the census and its group.

    Attributes:
        code: Code in the records.
        label: Name of the class, which can be in the records as well.
        group: Name of the group.
    """

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


def unknown_codes(
    named: str,
    wanted: Iterable[str],
    present: Iterable[str | None],
    lacking: str = "no record has",
    *,
    near: Iterable[str] | None = None,
) -> list[str]:
    """Warnings about codes of the configuration that the data do not have.

    A few codes have a warning each, with similar codes of the data. More codes have one warning.

    Args:
        named: Subject of the sentence, such as `analyses/elements.yaml names the element`.
        wanted: Codes of the configuration.
        present: Codes of the data.
        lacking: Clause about the data, such as `no record has`.
        near: Codes of the data that may be listed as similar; None means all.
    """
    present_codes = sorted({code for code in present if code})
    absent = [code for code in dict.fromkeys(wanted) if code not in {*present_codes}]
    if len(absent) > _MOST_WARNINGS:
        first, others = ", ".join(absent[:_MOST_WARNINGS]), len(absent) - _MOST_WARNINGS
        return [f"{named} {first} and {others} more, which {lacking}."]
    quoted = present_codes if near is None else sorted({*near})
    warnings = []
    for code in absent:
        close = closest_names(code, quoted)
        like = f"; the nearest are {', '.join(close)}" if close else ""
        warnings.append(f"{named} {code}, which {lacking}{like}.")
    return warnings


def code_counts(frame: DataFrame, column: str, wanted: Sequence[str]) -> DataFrame:
    """Counts the records of the wanted codes and of the most common other codes.

    Args:
        frame: The records.
        column: Column of codes.
        wanted: Codes of the configuration.

    Returns:
        One row per code: `code`, `records`.
    """
    counted = frame.groupBy(F.col(column).alias("code")).agg(F.count(F.lit(1)).alias("records"))
    order = [F.col("code").isin(*wanted).desc(), F.desc("records"), F.col("code")]
    return counted.where("code IS NOT NULL").orderBy(*order).limit(MOST_COMPARED + len(wanted))


def codes_present(counted: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Codes of the data for `unknown_codes`: the wanted codes and the most common codes.

    Args:
        counted: Result of `code_counts`.
        wanted: Codes of the configuration.
    """
    common = counted.sort_values(["records", "code"], ascending=[False, True])["code"]
    found = common[common.isin(wanted)]
    return [*dict.fromkeys([*found, *common.head(MOST_COMPARED)])]


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


def read_outcomes(conf: Path) -> Mapping[str, str]:
    """Reads outcomes: code in upper case -> category."""
    words = read_model(conf / "vocabulary" / "outcomes.yaml", Outcomes).root
    return {word.code.upper(): word.category for word in words}


def read_teams(conf: Path) -> Mapping[str, str]:
    """Reads teams: name as in `as_team` -> category."""
    words = read_model(conf / "vocabulary" / "teams.yaml", Teams).root
    return {word.name.strip(coded_text.WHITE_SPACE).upper(): word.category for word in words}


def category_of(value: Column, categories: Mapping[str, str], other: str) -> Column:
    """Category of a value; `other` for a value without a category.

    Args:
        value: The value.
        categories: Value -> category.
        other: Category of all other values.
    """
    values: dict[str, list[str]] = {}
    for each, category in categories.items():
        values.setdefault(category, []).append(each)
    named = [F.when(value.isin(*listed), F.lit(name)) for name, listed in values.items()]
    return F.coalesce(*named, F.lit(other))
