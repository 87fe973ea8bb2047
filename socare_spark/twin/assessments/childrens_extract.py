"""The extract of the children's assessments."""

import numpy as np
import pyarrow as pa

from socare_spark.twin.agreements.agreement_texts import agreement_texts
from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.assessments.childrens_assessments import ChildrensAssessments
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.draws import Bools, Draws, Ints, day, years
from socare_spark.twin.population.universe import Universe

COLUMNS = (
    "ASM_ID", "PERID", "DOB", "AGREEMENT_START", "AGREEMENT_END", "ASSESSMENT_START",
    "ASSESSMENT_END", "SERVICE", "SERVICE_DESCRIPTION", "ELEMENT", "ELEMENT_DESCRIPTION",
    "QSA_DESCRIPTION", "QSA_GROUP", "ASSESSMENT_REASON", "FORM_OUTCOME", "SERVICE_TEAM",
    "WEEKLY_COST", "POSTCODE", "GENDER", "ETHNICITY", "CLIENT_GROUP", "WARD", "CONSTITUENCY",
)  # fmt: skip
FIRST_IDENTIFIER = 200_000_000
WITH_AGREEMENT_SHARE, AGREEMENT_OPEN_SHARE = 0.03, 0.2
AREAS = ("North West & Central", "East", "South", "City-wide")
TEAMS = (
    "Assessment Team",
    "Safeguarding Team",
    "Children in Care Team",
    "Family Support Team",
    "Disabled Children Team",
)
GROUPS = ("Child", "Child with Disability")


class _ChildrensCells:
    """The cells of the children's assessments."""

    def __init__(self, universe: Universe, draws: Draws, records: ChildrensAssessments) -> None:
        """Collects the texts that cells are taken from."""
        self.universe = universe
        self.draws = draws.scoped("children_assessments cells")
        self.records = records
        self.texts = agreement_texts(universe)
        facts = records.combinations.facts
        dash = " " + facts["dash"] + " "
        reason = facts["reason"] + dash + facts["reason_description"]
        outcome = facts["outcome"] + dash + facts["outcome_description"]
        self.reason = csv_cells.Texts(reason.tolist())
        self.outcome = csv_cells.Texts(outcome.tolist())
        self.step = csv_cells.Texts(facts["reason_description"].tolist())
        self.group = csv_cells.Texts(facts["subprocess"].tolist())
        self.team = csv_cells.Texts([f"{t} {a}" for t in TEAMS for a in AREAS])
        self.client = csv_cells.Texts(GROUPS)
        wards = universe.city.wards
        self.ward = csv_cells.Texts(wards["ward_name"].tolist())
        self.constituency = csv_cells.Texts(wards["constituency_name"].tolist())
        self.elements = np.array([i for i, e in enumerate(elements()) if e.client_group == "CH"])
        self.low, self.high = (
            np.array([getattr(e, n) for e in elements()]) for n in ("low", "high")
        )

    def render(self, rows: Ints, _period: str) -> dict[str, pa.Array]:
        """All cells of some rows, by column."""
        person = self.records.person[rows].astype(np.int64)
        start, end = (c[rows].astype(np.int64) for c in (self.records.start, self.records.end))
        return {
            **self._of_assessments(rows, person, start, end),
            **self._of_agreements(rows, person, start, end),
            **self._of_people(person, start),
        }

    def _of_assessments(
        self, rows: Ints, person: Ints, start: Ints, end: Ints
    ) -> dict[str, pa.Array]:
        which = self.records.combination[rows]
        area = self.draws.choose("area", person, (40, 30, 26, 4))
        team = self.draws.choose("team", rows, (30, 24, 22, 18, 6))
        return {
            "ASM_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "ASSESSMENT_START": csv_cells.dates(start),
            "ASSESSMENT_END": csv_cells.dates(end),
            "QSA_DESCRIPTION": self.step.take(which),
            "QSA_GROUP": self.group.take(which),
            "ASSESSMENT_REASON": self.reason.take(which),
            "FORM_OUTCOME": self.outcome.take(which),
            "SERVICE_TEAM": self.team.take(area + len(AREAS) * team),
        }

    def _of_agreements(
        self, rows: Ints, person: Ints, start: Ints, end: Ints
    ) -> dict[str, pa.Array]:
        """The cells of the agreement that follows a few of the assessments."""
        agreed = self.draws.uniform("agreement", rows) < WITH_AGREEMENT_SHARE
        ended = agreed & (self.draws.uniform("open", rows) >= AGREEMENT_OPEN_SHARE)
        drawn = self.elements[self.draws.bits("element", person) % np.uint64(len(self.elements))]
        element = np.where(agreed, drawn, -1)
        return {
            "AGREEMENT_START": csv_cells.dates(np.where(agreed, start, csv_cells.NO_DAY)),
            "AGREEMENT_END": csv_cells.dates(np.where(ended, end, csv_cells.NO_DAY)),
            "SERVICE": self.texts.service.take(element),
            "SERVICE_DESCRIPTION": self.texts.service_description.take(element),
            "ELEMENT": self.texts.element.take(element),
            "ELEMENT_DESCRIPTION": self.texts.description.take(element),
            "WEEKLY_COST": csv_cells.pounds(self._weekly_pence(person, element, agreed)),
        }

    def _weekly_pence(self, person: Ints, element: Ints, agreed: Bools) -> Ints:
        """The weekly cost to the next five pence; -1 without an agreement."""
        level = self.draws.uniform("cost", person)
        low, high = self.low[element], self.high[element]
        pence = np.round((low + level * (high - low)) * 20).astype(np.int64) * 5
        return np.where(agreed, pence, -1)

    def _of_people(self, person: Ints, on: Ints) -> dict[str, pa.Array]:
        universe = self.universe
        born, home = universe.born(person), universe.postcode(person, on)
        ward = universe.city.postcodes.ward_at(home)
        disabled = (self.draws.uniform("disabled", person) < 0.07).astype(np.int64)
        # A record may be made before the birth.
        known_birth = np.where(born <= on, born, csv_cells.NO_DAY)
        return {
            "PERID": csv_cells.numbers(universe.perid(person)),
            "DOB": csv_cells.dates(known_birth),
            "POSTCODE": self.texts.postcode.take(home),
            "GENDER": self.texts.gender.take(universe.gender(person)),
            "ETHNICITY": self.texts.ethnicity.take(universe.ethnicity(person)),
            "CLIENT_GROUP": self.client.take(disabled),
            "WARD": self.ward.take(ward),
            "CONSTITUENCY": self.constituency.take(ward),
        }


def childrens_extract(universe: Universe, draws: Draws, records: ChildrensAssessments) -> Extract:
    """The children's assessments, ready to be written."""
    periods = tuple(str(y) for y in range(2006, 2019))
    return Extract(
        dataset="children_assessments",
        layout=Layout(
            "ASM_ID",
            ("ASM_ID", "ASSESSMENT_START", "ASSESSMENT_END", "ASSESSMENT_REASON", "FORM_OUTCOME"),
            start="ASSESSMENT_START",
            end="ASSESSMENT_END",
            birth_before_start=False,
            may_lack_birth=True,
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(records),
        rows_of=yearly_rows(years(records.end).astype(np.int16)),
        render=_ChildrensCells(universe, draws, records).render,
        starts=lambda rows: records.start[rows].astype(np.int64),
        spare_identifier=FIRST_IDENTIFIER + 90_000_000,
    )
