"""What a council declares about a flow, in `conf/flows/NAME.yaml`.

One kind of flow declares stages in order and says which records of which dataset belong to each;
the other takes its activities from a column of an event log. Everything after this module is the
same for both.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.extracts import restricted
from socare_spark.analysis import Need
from socare_spark.config import StrictModel, read_model
from socare_spark.errors import ConfigurationError
from socare_spark.lake.lake import Lake

ASSESSED = "assessed"


class Records(StrictModel):
    """Which records of a dataset are meant, and where their case and time stand.

    Attributes:
        dataset: A dataset of the restricted zone.
        case: Column that names the case; a person, or anything else that is followed.
        time: Column with the day or the moment.
        column: Column that tells the records meant from others; None means all records.
        codes: Codes of that column's texts (`CA` in `CA - Contact Assessment`).
        values: Whole texts of that column.
    """

    dataset: str
    case: str = "person"
    time: str
    column: str | None = None
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _meant(self) -> Self:
        if (self.column is None) == bool(self.codes or self.values):
            raise ValueError("'column' goes with 'codes' or 'values', and they with it")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        return [self.case, self.time, *([self.column] if self.column else [])]

    @property
    def where(self) -> Column:
        """True for the records meant."""
        if self.column is None:
            return F.lit(True)
        text = F.col(self.column)
        return coded_text.is_one_of(text, self.codes) | text.isin(*self.values)


class Stage(StrictModel):
    """One stage of a process."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    records: Records


class Log(StrictModel):
    """An event log: one record an event.

    Attributes:
        key: Column that orders events of one moment in one case; None leaves the activity to do it.
        transitions: How many transitions have durations; the most common ones have them.
    """

    dataset: str
    case: str
    time: str
    activity: str
    key: str | None = None
    transitions: Annotated[int, Field(ge=1, le=5_000)] = 200

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        return [self.case, self.time, self.activity, *([self.key] if self.key else [])]


class Outcomes(StrictModel):
    """Where assessments say how they ended and who made them."""

    dataset: str
    case: str = "person"
    outcome: str
    team: str

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        return [self.case, self.outcome, self.team]


class SingleStage(StrictModel):
    """A stage of which those who were in no other are looked at.

    Attributes:
        stage: Its code.
        end: Column with the last day of its records.
        outcome: Column that says how they ended.
        postcode: Column with the postcode of the home; None leaves areas out.
        layer: Layer of areas.
    """

    stage: str
    end: str
    outcome: str
    postcode: str | None = None
    layer: str = "ward"


class Picture(StrictModel):
    """How the graph of a flow is drawn: edges below a share of all transitions are left out."""

    smallest_share: Annotated[float, Field(ge=0, lt=1)] = 0.005


class Flow(StrictModel):
    """`conf/flows/NAME.yaml`: stages in order, or a log."""

    flow: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    stages: tuple[Stage, ...] = ()
    log: Log | None = None
    assessed: Records | None = None
    outcomes: Outcomes | None = None
    single_stage: SingleStage | None = None
    picture: Picture = Picture()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.stages) == (self.log is not None):
            raise ValueError("a flow has either 'stages' or 'log'")
        if len({*self.codes, ASSESSED}) != len(self.codes) + 1:
            raise ValueError(f"codes of stages must differ, and none may be '{ASSESSED}'")
        if self.single_stage is not None and self.single_stage.stage not in self.codes:
            raise ValueError("'single_stage' names a stage that is not declared")
        return self

    def records_of(self, code: str) -> Records:
        """Which records make a stage."""
        return next(stage.records for stage in self.stages if stage.code == code)

    @property
    def codes(self) -> list[str]:
        """Codes of the stages in order; none for a log."""
        return [stage.code for stage in self.stages]

    @property
    def datasets(self) -> set[str]:
        """All datasets it reads."""
        parts = [*(s.records for s in self.stages), self.log, self.assessed, self.outcomes]
        return {part.dataset for part in parts if part is not None}

    @property
    def tables(self) -> list[str]:
        """The tables of those datasets."""
        return [restricted(name) for name in sorted(self.datasets)]

    @property
    def needs(self) -> list[Need]:
        """The columns without which it cannot be followed."""
        parts = [*(stage.records for stage in self.stages), self.log, self.assessed]
        return [need for part in parts if part is not None for need in _needs(part, part.columns)]

    @property
    def needs_of_parts(self) -> dict[str, list[Need]]:
        """Name of a part that can be left out -> the columns that it needs besides."""
        found = {}
        if self.outcomes is not None:
            found["outcomes"] = _needs(self.outcomes, self.outcomes.columns)
        if (single := self.single_stage) is not None:
            columns = [single.end, single.outcome, *([single.postcode] if single.postcode else [])]
            found["single_stage"] = _needs(self.records_of(single.stage), columns)
        return found

    def missing_tables(self, lake: Lake) -> list[str]:
        """Tables that it reads and the lake does not have; without them it cannot be followed."""
        return [name for name in self.tables if not lake.exists(name)]


def _needs(part: Records | Log | Outcomes, columns: list[str]) -> list[Need]:
    return [Need(restricted(part.dataset), column, "") for column in columns]


def read_flows(conf: Path) -> list[Flow]:
    """All flows of `conf/flows`, by file name.

    Raises:
        ConfigurationError: there is none, or two have one name.
    """
    flows = [read_model(path, Flow) for path in sorted((conf / "flows").glob("*.yaml"))]
    if not flows:
        raise ConfigurationError(f"{conf / 'flows'} holds no flow: put one in NAME.yaml there.")
    names = [flow.flow for flow in flows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"{conf / 'flows'}: more than one file has flow: {twice[0]}.")
    return flows
