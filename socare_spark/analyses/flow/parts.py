"""Parts of a flow file: selections of records, logs, matrices, limits and settings of charts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.config import StrictModel
from socare_spark.contracts.contract import SOURCE_LINE

Unit = Literal["days", "hours", "minutes", "seconds"]


class Part(StrictModel):
    """A part of a flow that reads columns of a dataset."""

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read."""
        raise NotImplementedError

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        return [*self.named.values()]


def _given(keys: Mapping[str, str | None]) -> dict[str, str]:
    """The keys that have a column."""
    return {key: column for key, column in keys.items() if column}


class Selection(Part):
    """All records of a dataset, or those with some texts in a column.

    Attributes:
        dataset: A dataset of the restricted zone.
        column: Column by which records are selected; None means all records.
        codes: Codes in the texts of `column` (`CA` in `CA - Contact Assessment`).
        values: Whole texts of `column`.
    """

    dataset: str
    column: str | None = None
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _column_with_values(self) -> Self:
        if (self.column is None) == bool(self.codes or self.values):
            raise ValueError("'column' goes with 'codes' or 'values'; set both or neither")
        return self

    @property
    def where(self) -> Column:
        """Condition that is true for the selected records."""
        return F.lit(True) if self.column is None else self._has(self.codes, self.values)

    @property
    def conditions(self) -> dict[tuple[str, str], Column]:
        """Key in the file and text -> condition of the records that have the text."""
        codes = {("codes", code): self._has([code], ()) for code in self.codes}
        return codes | {("values", value): self._has((), [value]) for value in self.values}

    def _has(self, codes: Sequence[str], values: Sequence[str]) -> Column:
        # A text that is no number or day cannot be compared with a column of these types.
        text = F.col(str(self.column)).cast("string")
        return coded_text.is_one_of(text, codes) | text.isin(*values)


class Records(Selection):
    """A selection of records of a dataset, with the columns of their case and time.

    Attributes:
        case: Column of the case: a person, or another unit that is followed.
        time: Column with a date or a timestamp.
    """

    case: str = "person"
    time: str

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read."""
        return _given({"case": self.case, "time": self.time, "column": self.column})


class Stage(StrictModel):
    """One stage of a process.

    Attributes:
        code: Code of the stage in the tables.
        name: Name of the stage in charts.
        records: The records of the stage.
    """

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    records: Records


class Log(Selection):
    """An event log with one record per event.

    Attributes:
        case: Column of the case.
        time: Column with a date or a timestamp.
        activity: Column of the activity.
        key: Column that orders events of a case at the same time; None means `activity`. `line`,
            which each restricted table has, is the order within one file only: events of several
            files at the same time are in the order of the names of the files. The run reports
            events at the same time that the key does not order.
        transitions: Largest number of transitions in `flow_durations`; the most common ones are
            used.
    """

    case: str
    time: str
    activity: str
    key: str | None = None
    transitions: Annotated[int, Field(ge=1, le=5_000)] = 200

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read."""
        keys = {"case": self.case, "time": self.time, "activity": self.activity, "key": self.key}
        return _given({**keys, "column": self.column})

    @property
    def columns(self) -> list[str]:
        """Columns that are read."""
        file = [SOURCE_LINE[0]] if self.is_by_line else []
        return [*super().columns, *file]

    @property
    def is_by_line(self) -> bool:
        """Whether the lines of files order events at the same time."""
        return self.key == SOURCE_LINE[1]

    @property
    def order(self) -> Column:
        """The value by which events of a case at the same time are ordered."""
        return F.struct(*SOURCE_LINE) if self.is_by_line else F.col(self.key or self.activity)


class Matrix(Selection):
    """Movements between places, or other counts from one activity to another: one row per movement.

    Attributes:
        origin: `from` in the file: column of the activity that a movement leaves.
        to: Column of the activity that it reaches.
        time: Column with the date or the timestamp of the movement; None means no counts by month.
        count: Column with the number of movements of a record, an integer; None means 1.
        case: Column of the person, or of another unit that moves; None means that it is not known,
            and that the column `people` of the tables is null.
    """

    origin: str = Field(alias="from")
    to: str
    time: str | None = None
    count: str | None = None
    case: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read."""
        ends = {"from": self.origin, "to": self.to}
        others = {"time": self.time, "count": self.count, "case": self.case}
        return _given({**ends, **others, "column": self.column})


class Outcomes(Part):
    """Columns of the outcome and the team of assessments.

    Attributes:
        dataset: A dataset of the restricted zone.
        case: Column of the case.
        outcome: Column of the outcome, `CODE - label`.
        team: Column of the team.
    """

    dataset: str
    case: str = "person"
    outcome: str
    team: str

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read."""
        return {"case": self.case, "outcome": self.outcome, "team": self.team}


class SingleStage(Part):
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

    @property
    def named(self) -> dict[str, str]:
        """Key in the file -> column that is read with those of the stage."""
        return _given({"end": self.end, "outcome": self.outcome, "postcode": self.postcode})


class Picture(StrictModel):
    """Limits of the chart of a flow. The chart states what they leave out.

    Attributes:
        smallest_share: Transitions below this share of all transitions are not drawn.
        activities: Largest number of activities that are drawn; the most frequent ones are. In the
            chart of a matrix the others are added up.
        edges: Largest number of arrows that are drawn; the most frequent ones are.
    """

    smallest_share: Annotated[float, Field(ge=0, lt=1)] = 0.005
    activities: Annotated[int, Field(ge=2, le=60)] = 20
    edges: Annotated[int, Field(ge=1, le=200)] = 40


class Limits(StrictModel):
    """Limits of the tables of transitions and variants. Rows beyond a limit are pooled in one row.

    Attributes:
        edges: Largest number of transitions in `flow_edges`; the most frequent ones are kept. None
            means no limit.
        variants: Largest number of variants in `flow_variants`; those of most cases are kept. None
            means no limit.
        least: Smallest number of records of a transition, and of cases of a variant, that is kept.
        pool: Name of the pool in the tables. No activity can have it.
    """

    edges: Annotated[int, Field(ge=1)] | None = None
    variants: Annotated[int, Field(ge=1)] | None = None
    least: Annotated[int, Field(ge=1)] = 1
    pool: str = Field(default="other", min_length=1)

    @property
    def pool_edges(self) -> bool:
        """Whether transitions can be pooled."""
        return self.edges is not None or self.least > 1

    @property
    def pool_variants(self) -> bool:
        """Whether variants can be pooled."""
        return self.variants is not None or self.least > 1
