"""Settings of a flow, in `conf/flows/NAME.yaml`.

A flow either declares stages in order, with the records of each, or takes its activities from a
column of an event log. Other modules do not distinguish the two kinds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.vocabulary import read_outcomes, read_teams
from socare_spark.config import StrictModel, read_model
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs, Need

ASSESSED = "assessed"


class Records(StrictModel):
    """A selection of records of a dataset, with the columns of their case and time.

    Attributes:
        dataset: A dataset of the restricted zone.
        case: Column of the case: a person, or another unit that is followed.
        time: Column with a date or a timestamp.
        column: Column by which records are selected; None means all records.
        codes: Codes in the texts of `column` (`CA` in `CA - Contact Assessment`).
        values: Whole texts of `column`.
    """

    dataset: str
    case: str = "person"
    time: str
    column: str | None = None
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _column_with_values(self) -> Self:
        if (self.column is None) == bool(self.codes or self.values):
            raise ValueError("'column' goes with 'codes' or 'values'; set both or neither")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        return [self.case, self.time, *([self.column] if self.column else [])]

    @property
    def where(self) -> Column:
        """Condition that is true for the selected records."""
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
    """An event log with one record per event.

    Attributes:
        dataset: A dataset of the restricted zone.
        case: Column of the case.
        time: Column with a date or a timestamp.
        activity: Column of the activity.
        key: Column that orders events of a case at the same time; None means `activity`.
        transitions: Largest number of transitions with durations; the most common ones are used.
    """

    dataset: str
    case: str
    time: str
    activity: str
    key: str | None = None
    transitions: Annotated[int, Field(ge=1, le=5_000)] = 200

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        return [self.case, self.time, self.activity, *([self.key] if self.key else [])]


class Outcomes(StrictModel):
    """Columns of the outcome and the team of assessments."""

    dataset: str
    case: str = "person"
    outcome: str
    team: str

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        return [self.case, self.outcome, self.team]


class SingleStage(StrictModel):
    """A stage whose people in no other stage are described.

    Attributes:
        stage: Code of the stage.
        end: Column with the last day of its records.
        outcome: Column with the outcome of its records.
        postcode: Column with the postcode of the home; None means no results by area.
        layer: Layer of areas.
    """

    stage: str
    end: str
    outcome: str
    postcode: str | None = None
    layer: str = "ward"


class Picture(StrictModel):
    """Settings of the flow chart. Edges below a share of all transitions are not drawn."""

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
            raise ValueError("a flow needs either 'stages' or 'log'")
        if len({*self.codes, ASSESSED}) != len(self.codes) + 1:
            raise ValueError(f"codes of stages must differ, and none may be '{ASSESSED}'")
        if self.single_stage is not None and self.single_stage.stage not in self.codes:
            raise ValueError("'single_stage' names a stage that is not in 'stages'")
        return self

    def records_of(self, code: str) -> Records:
        """Selection of the records of a stage."""
        return next(stage.records for stage in self.stages if stage.code == code)

    def dataset_of(self, activity: str) -> str:
        """Dataset of the records of a stage, or of an activity of a log."""
        return self.log.dataset if self.log is not None else self.records_of(activity).dataset

    @property
    def codes(self) -> list[str]:
        """Codes of the stages in order; empty for a log."""
        return [stage.code for stage in self.stages]

    @property
    def datasets(self) -> set[str]:
        """Datasets of all parts of the flow."""
        parts = [*(s.records for s in self.stages), self.log, self.assessed, self.outcomes]
        return {part.dataset for part in parts if part is not None}

    @property
    def tables(self) -> list[str]:
        """Tables of the datasets."""
        return [restricted(name) for name in sorted(self.datasets)]

    @property
    def needs(self) -> list[Need]:
        """Columns that the flow requires."""
        parts = [*(stage.records for stage in self.stages), self.log, self.assessed]
        return [need for part in parts if part is not None for need in _needs(part, part.columns)]

    @property
    def needs_of_parts(self) -> dict[str, list[Need]]:
        """Name of an optional part -> columns that it requires."""
        needs = {}
        if self.outcomes is not None:
            needs["outcomes"] = _needs(self.outcomes, self.outcomes.columns)
        if (single := self.single_stage) is not None:
            columns = [single.end, single.outcome, *([single.postcode] if single.postcode else [])]
            needs["single_stage"] = _needs(self.records_of(single.stage), columns)
        return needs

    def missing_tables(self, inputs: Inputs) -> list[str]:
        """Tables that the flow requires and the lake does not have."""
        return [name for name in self.tables if not inputs.exists(name)]


def _needs(part: Records | Log | Outcomes, columns: list[str]) -> list[Need]:
    return [Need(restricted(part.dataset), column, "") for column in columns]


class Settings(NamedTuple):
    """Settings of the `flow` analysis.

    Attributes:
        flows: All flows.
        outcomes: Code of an outcome -> its category; empty if no flow has outcomes.
        teams: Name of a team -> its category; empty if no flow has outcomes.
    """

    flows: tuple[Flow, ...]
    outcomes: Mapping[str, str]
    teams: Mapping[str, str]


def load_settings(conf: Path) -> Settings:
    """Reads all flows, and the categories of outcomes and teams if a flow uses them."""
    flows = read_flows(conf)
    with_outcomes = any(flow.outcomes or flow.single_stage for flow in flows)
    with_teams = any(flow.outcomes for flow in flows)
    return Settings(
        tuple(flows),
        read_outcomes(conf) if with_outcomes else {},
        read_teams(conf) if with_teams else {},
    )


def read_flows(conf: Path) -> list[Flow]:
    """Reads all flows of `conf/flows`, in order of file name.

    Raises:
        ConfigurationError: there is no flow, or two flows have the same name.
    """
    flows = [read_model(path, Flow) for path in sorted((conf / "flows").glob("*.yaml"))]
    if not flows:
        raise ConfigurationError(f"{conf / 'flows'} has no flow. Add a file NAME.yaml.")
    names = [flow.flow for flow in flows]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            f"{conf / 'flows'}: more than one file has flow: {repeated[0]}. Rename one of them."
        )
    return flows
