"""The extract of the adults' assessments."""

import numpy as np
import pyarrow as pa

from socare_spark.twin.agreements.agreement_texts import agreement_texts
from socare_spark.twin.assessments.adult_flow import GROUPS, AdultAssessments, groups
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.draws import Draws, Ints, ages, day, years
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import vocabulary

COLUMNS = (
    "ASM_ID", "PERID", "DOB", "ASSESSMENT_START", "ASSESSMENT_END", "QSA_DESCRIPTION", "QSA_GROUP",
    "ASSESSMENT_REASON", "FORM_OUTCOME", "SERVICE_TEAM", "POSTCODE", "GENDER", "ETHNICITY",
    "CLIENT_GROUP", "WARD", "CONSTITUENCY",
)  # fmt: skip
FIRST_IDENTIFIER = 100_000_000
REASONS = (
    "NEWREF - New referral", "HOSP - Hospital discharge", "CHANGE - Change of circumstances",
    "PLREV - Planned review", "UNREV - Unplanned review", "CARER - Carer breakdown",
    "TRANS - Transition from children's services", "SAFEG - Safeguarding concern",
    "SELF - Self referral, by telephone", "GP - Referral by general practitioner",
)  # fmt: skip
REASON_WEIGHTS = (26, 17, 15, 13, 6, 4, 2, 5, 8, 4)
CLIENT_GROUPS = (
    "Older Adult",
    "Physical Disability",
    "Learning Disability",
    "Mental Health",
    "Substance Misuse",
    "Carer",
)
FORMS = ("", " (2013)", " v2", " - Care Act")


class _AdultCells:
    """The cells of the adults' assessments."""

    def __init__(self, universe: Universe, draws: Draws, records: AdultAssessments) -> None:
        """Collects the texts that cells are taken from."""
        self.universe = universe
        self.draws = draws.scoped("adult_assessments cells")
        self.records = records
        self.texts = agreement_texts(universe)
        self.group = csv_cells.Texts(groups())
        self.step = csv_cells.Texts([f"{text}{form}" for text in GROUPS.values() for form in FORMS])
        self.reason = csv_cells.Texts(REASONS)
        outcomes, teams = vocabulary("outcomes"), vocabulary("teams")
        self.outcome = csv_cells.Texts([f"{o['code']} - {o['label']}" for o in outcomes])
        self.team = csv_cells.Texts([t["name"] for t in teams])
        self.client = csv_cells.Texts(CLIENT_GROUPS)
        wards = universe.city.wards
        self.ward = csv_cells.Texts(wards["ward_name"].tolist())
        self.constituency = csv_cells.Texts(wards["constituency_name"].tolist())

    def render(self, rows: Ints, _period: str) -> dict[str, pa.Array]:
        """All cells of some rows, by column."""
        start = self.records.start[rows].astype(np.int64)
        return {
            **self._of_assessments(rows, start),
            **self._of_people(self.records.flow.pool[self.records.place[rows]], start),
        }

    def _of_assessments(self, rows: Ints, start: Ints) -> dict[str, pa.Array]:
        code = self.records.group[rows].astype(np.int64)
        # Forms were renewed with the Care Act, in April 2015.
        form = np.where(
            start >= day(2015, 4), 3, self.draws.bits("form", rows) % np.uint64(3)
        ).astype(np.int64)
        reason = self.draws.choose("reason", rows, REASON_WEIGHTS)
        return {
            "ASM_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "ASSESSMENT_START": csv_cells.dates(start),
            "ASSESSMENT_END": csv_cells.dates(self.records.end[rows].astype(np.int64)),
            "QSA_DESCRIPTION": self.step.take(code * len(FORMS) + form),
            "QSA_GROUP": self.group.take(code),
            "ASSESSMENT_REASON": self.reason.take(reason),
            "FORM_OUTCOME": self.outcome.take(self.records.outcome[rows]),
            "SERVICE_TEAM": self.team.take(self.records.team[rows]),
        }

    def _of_people(self, person: Ints, on: Ints) -> dict[str, pa.Array]:
        universe = self.universe
        born, home = universe.born(person), universe.postcode(person, on)
        ward = universe.city.postcodes.ward_at(home)
        client = np.where(
            ages(born, on) >= 65,
            universe.draws.choose("client old", person, (74, 9, 3, 9, 0.5, 4.5)),
            universe.draws.choose("client", person, (0, 33, 24, 29, 5, 9)),
        )
        return {
            "PERID": csv_cells.numbers(universe.perid(person)),
            "DOB": csv_cells.dates(born),
            "POSTCODE": self.texts.postcode.take(home),
            "GENDER": self.texts.gender.take(universe.gender(person)),
            "ETHNICITY": self.texts.ethnicity.take(universe.ethnicity(person)),
            "CLIENT_GROUP": self.client.take(client),
            "WARD": self.ward.take(ward),
            "CONSTITUENCY": self.constituency.take(ward),
        }


def adult_extract(universe: Universe, draws: Draws, records: AdultAssessments) -> Extract:
    """The adults' assessments, ready to be written."""
    periods = tuple(str(y) for y in range(2013, 2017))
    return Extract(
        dataset="adult_assessments",
        layout=Layout(
            "ASM_ID",
            ("ASM_ID", "ASSESSMENT_START", "ASSESSMENT_END", "QSA_GROUP"),
            start="ASSESSMENT_START",
            end="ASSESSMENT_END",
            may_lack_birth=True,
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(records),
        rows_of=yearly_rows(years(records.end).astype(np.int16)),
        render=_AdultCells(universe, draws, records).render,
        starts=lambda rows: records.start[rows].astype(np.int64),
        spare_identifier=FIRST_IDENTIFIER + 50_000_000,
    )
