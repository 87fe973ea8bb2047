"""Settings of a flow, in `conf/flows/NAME.yaml`.

A flow declares stages in order, with the records of each; or takes its activities from a column of
an event log; or has movements from one activity to another. Other modules do not distinguish stages
and logs.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.flow.parts import (
    Limits,
    Log,
    Matrix,
    Outcomes,
    Part,
    Picture,
    Records,
    SingleStage,
    Stage,
    Unit,
)
from socare_spark.analyses.vocabulary import read_outcomes, read_teams
from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.contract import PERSON
from socare_spark.contracts.header_names import NAME
from socare_spark.contracts.nouns import Noun
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Assigned, Inputs, Need

ASSESSED = "assessed"
# Points of the curves of an event log, which can have millions of different times.
LOG_POINTS = 40
MOST_POINTS = 1_000
Points = Literal["all"] | int | tuple[int, ...]


class Flow(StrictModel):
    """`conf/flows/NAME.yaml`: exactly one of `stages`, `log` and `matrix`.

    Attributes:
        flow: Name of the flow in the tables and in the names of files.
        title: Title of the flow in charts.
        noun: Name of its cases in charts; of a matrix, of its movements. The default is `people`
            if every case is the column `person`, otherwise `cases`; of a matrix `movements`.
        stages: Stages in their order.
        log: An event log.
        matrix: Movements from one activity to another.
        unit: Unit of durations. With `auto`, it is the largest unit in which at least half of the
            times between two events of a case are 1 or more; equal times do not count. None means
            `days` for stages and for a list of `points`, and `auto` for other logs.
        points: Points of the curves of `flow_durations`: `all` times that occur; a number of points
            that grow from 1 to the longest time by a constant factor; or a list of times in `unit`.
            The curves have the time 0 and their last time in any case. None means `all` for stages,
            and 40 for a log.
        limits: Limits of the tables of transitions and variants.
        assessed: All assessments; they are counted as the stage `assessed`. Without their table or
            column, the flow has no such stage and no rows of `stage_completion`.
        outcomes: Outcomes of assessments and their teams.
        single_stage: The stage whose people in no other stage are described.
        picture: Limits of the chart of the flow.
    """

    flow: str = Field(pattern=NAME)
    title: str = Field(min_length=1)
    noun: Noun | None = None
    stages: tuple[Stage, ...] = ()
    log: Log | None = None
    matrix: Matrix | None = None
    unit: Literal["days", "hours", "minutes", "seconds", "auto"] | None = None
    points: Points | None = None
    limits: Limits = Limits()
    assessed: Records | None = None
    outcomes: Outcomes | None = None
    single_stage: SingleStage | None = None
    picture: Picture = Picture()
    _file: str = PrivateAttr("")
    _lacks: tuple[str, ...] = PrivateAttr(())

    @field_validator("points", mode="before")
    @classmethod
    def _are_points(cls, value: object) -> object:
        if value is None or value == "all":
            return value
        listed = value if isinstance(value, (list, tuple)) else []
        whole = all(type(time) is int and time >= 0 for time in listed)
        times = whole and [*listed] == sorted({*listed}) and 1 <= len(listed) <= MOST_POINTS
        if times or (type(value) is int and 2 <= value <= MOST_POINTS):
            return value
        raise ValueError(
            f"must be all, a number of points from 2 to {MOST_POINTS:,}, or a list of at most "
            f"{MOST_POINTS:,} different whole times in ascending order"
        )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if [bool(self.stages), self.log is not None, self.matrix is not None].count(True) != 1:
            raise ValueError("a flow needs exactly one of 'stages', 'log' and 'matrix'")
        if len({*self.codes, ASSESSED}) != len(self.codes) + 1:
            raise ValueError(f"codes of stages must differ, and none may be '{ASSESSED}'")
        if self.single_stage is not None and self.single_stage.stage not in self.codes:
            raise ValueError("'single_stage' names a stage that is not in 'stages'")
        if self.matrix is not None:
            self._check_matrix()
        return self

    def _check_matrix(self) -> None:
        """Refuses keys that have no meaning for a matrix."""
        without = {"unit", "points", "assessed", "outcomes"} & self.model_fields_set
        if without:
            raise ValueError(
                f"'{min(without)}' needs 'stages' or 'log': movements have no durations and no "
                "stages"
            )
        if self.limits.variants is not None:
            raise ValueError(
                "'limits.variants' needs 'stages' or 'log': movements have no variants"
            )

    @property
    def nouns(self) -> Noun:
        """Name of the cases in charts; of a matrix, of the movements."""
        if self.noun is not None:
            return self.noun
        if self.matrix is not None:
            return Noun(one="movement", many="movements")
        cases = {
            part.case for part in (*(stage.records for stage in self.stages), self.log) if part
        }
        people = cases == {PERSON}
        return Noun(one="person", many="people") if people else Noun(one="case", many="cases")

    @property
    def curve_points(self) -> Points:
        """Points of the curves, with their default."""
        if self.points is None:
            return "all" if self.log is None else LOG_POINTS
        return self.points

    @property
    def unit_of_durations(self) -> Unit | Literal["auto"]:
        """Unit of durations, with its default."""
        if self.unit is None:
            return "days" if self.log is None or isinstance(self.points, tuple) else "auto"
        return self.unit

    @property
    def file(self) -> str:
        """File of the flow below the folder of the configuration."""
        return self._file or f"flows/{self.flow}.yaml"

    def of_file(self, file: str) -> Self:
        """The same flow, with the file that has it."""
        flow = self.model_copy()
        flow._file = file
        return flow

    def without(self, parts: Collection[str]) -> Self:
        """The same flow without optional parts whose table or columns the lake does not have."""
        flow = self.model_copy(update=dict.fromkeys(parts))
        flow._lacks = tuple(parts)
        return flow

    @property
    def has_completion(self) -> bool:
        """Whether people in any stage or with any assessment can be counted."""
        return bool(self.codes) and ASSESSED not in self._lacks

    def records_of(self, code: str) -> Records:
        """Selection of the records of a stage."""
        return next(stage.records for stage in self.stages if stage.code == code)

    def dataset_of(self, activity: str) -> str:
        """Dataset of the records of a stage, or of an activity of a log."""
        return self.log.dataset if self.log is not None else self.records_of(activity).dataset

    @property
    def codes(self) -> list[str]:
        """Codes of the stages in order; empty for a log or a matrix."""
        return [stage.code for stage in self.stages]

    @property
    def parts(self) -> dict[str, Records | Log | Matrix]:
        """Key in the file -> part with events or assessments."""
        assessed = {} if self.assessed is None else {ASSESSED: self.assessed}
        return {**self.required_parts, **assessed}

    @property
    def required_parts(self) -> dict[str, Records | Log | Matrix]:
        """Key in the file -> part without which the flow cannot be followed."""
        stages = {f"stages.{at}.records": stage.records for at, stage in enumerate(self.stages)}
        others = {"log": self.log, "matrix": self.matrix}
        return {**stages, **{key: part for key, part in others.items() if part is not None}}

    @property
    def followed(self) -> list[str]:
        """Datasets of its events and assessments."""
        return sorted({part.dataset for part in self.parts.values()})

    @property
    def datasets(self) -> set[str]:
        """Datasets of all parts of the flow."""
        of_outcomes = {self.outcomes.dataset} if self.outcomes is not None else set()
        return {*self.followed} | of_outcomes

    @property
    def tables(self) -> list[str]:
        """Tables of the datasets."""
        return [restricted(name) for name in sorted(self.datasets)]

    @property
    def needs(self) -> list[Need]:
        """Columns that the flow requires."""
        parts = self.required_parts.items()
        return [need for key, part in parts for need in self._needs(part.dataset, key, part)]

    @property
    def needs_of_parts(self) -> dict[str, list[Need]]:
        """Name of an optional part -> columns that it requires."""
        needs = {}
        if self.assessed is not None:
            needs[ASSESSED] = self._needs(self.assessed.dataset, ASSESSED, self.assessed)
        if self.outcomes is not None:
            needs["outcomes"] = self._needs(self.outcomes.dataset, "outcomes", self.outcomes)
        if (single := self.single_stage) is not None:
            needs["single_stage"] = self._needs(
                self.dataset_of(single.stage), "single_stage", single
            )
        return needs

    def _needs(self, dataset: str, key: str, part: Part) -> list[Need]:
        return [
            Need(
                restricted(dataset),
                column,
                "",
                assigned=Assigned(name, column, self.file, f"{key}.{name}"),
            )
            for name, column in part.named.items()
        ]

    @property
    def required_tables(self) -> list[str]:
        """Tables without which the flow cannot be followed."""
        return sorted({restricted(part.dataset) for part in self.required_parts.values()})

    def missing_tables(self, inputs: Inputs) -> list[str]:
        """Tables that the flow requires and the lake does not have."""
        return [name for name in self.required_tables if not inputs.exists(name)]


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
    paths = sorted((conf / "flows").glob("*.yaml"))
    flows = [read_model(path, Flow).of_file(f"flows/{path.name}") for path in paths]
    if not flows:
        raise ConfigurationError(f"{conf / 'flows'} has no flow. Add a file NAME.yaml.")
    names = [flow.flow for flow in flows]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            f"{conf / 'flows'}: more than one file has flow: {repeated[0]}. Rename one of them."
        )
    return flows
