"""How the children's assessments are written to files."""

import numpy as np
import pyarrow as pa

from socare_spark.twin.agreements.agreement_extract import agreement_texts
from socare_spark.twin.agreements.agreement_records import elements
from socare_spark.twin.assessments.childrens_assessments import ChildrensAssessments
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.draws import Draws, Ints, day, years
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.truth.childrens_truth import children_marginals

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


def children_extract(universe: Universe, draws: Draws, records: ChildrensAssessments) -> Extract:
    """Returns the children's assessments ready to be written."""
    own = draws.scoped("children_assessments cells")
    texts = agreement_texts(universe)
    facts = records.combinations.facts
    reason = csv_cells.Texts(
        (facts["reason"] + " " + facts["dash"] + " " + facts["reason_description"]).tolist()
    )
    outcome = csv_cells.Texts(
        (facts["outcome"] + " " + facts["dash"] + " " + facts["outcome_description"]).tolist()
    )
    step = csv_cells.Texts(facts["reason_description"].tolist())
    group = csv_cells.Texts(facts["subprocess"].tolist())
    team = csv_cells.Texts([f"{t} {a}" for t in TEAMS for a in AREAS])
    client = csv_cells.Texts(GROUPS)
    wards, seats = (
        csv_cells.Texts(universe.city.wards[c].tolist()) for c in ("ward_name", "constituency_name")
    )
    children = np.array([i for i, e in enumerate(elements()) if e.client_group == "CH"])
    periods = tuple(str(y) for y in range(2006, 2019))

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        person, which = records.person[rows].astype(np.int64), records.combination[rows]
        start, end = records.start[rows].astype(np.int64), records.end[rows].astype(np.int64)
        code = universe.postcode(person, start)
        born = universe.born(person)
        ward = np.where(code >= 0, universe.city.postcodes.ward[np.maximum(code, 0)], -1)
        agreed = own.uniform("agreement", rows) < WITH_AGREEMENT_SHARE
        ended = agreed & (own.uniform("open", rows) >= AGREEMENT_OPEN_SHARE)
        element = np.where(
            agreed, children[own.bits("element", person) % np.uint64(len(children))], -1
        )
        level = own.uniform("cost", person)
        low, high = (
            np.array([getattr(e, s) for e in elements()])[element] for s in ("low", "high")
        )
        pence = np.where(
            agreed, np.round((low + level * (high - low)) * 20).astype(np.int64) * 5, -1
        )
        places = own.choose("area", person, (40, 30, 26, 4)) + 4 * own.choose(
            "team", rows, (30, 24, 22, 18, 6)
        )
        disabled = (own.uniform("disabled", person) < 0.07).astype(np.int64)
        return {
            "ASM_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "PERID": csv_cells.numbers(universe.perid(person)),
            "DOB": csv_cells.dates(
                np.where(born <= start, born, csv_cells.NO_DAY)
            ),  # a record made before the birth
            "AGREEMENT_START": csv_cells.dates(np.where(agreed, start, csv_cells.NO_DAY)),
            "AGREEMENT_END": csv_cells.dates(np.where(ended, end, csv_cells.NO_DAY)),
            "ASSESSMENT_START": csv_cells.dates(start),
            "ASSESSMENT_END": csv_cells.dates(end),
            "SERVICE": texts.service.take(element),
            "SERVICE_DESCRIPTION": texts.service_description.take(element),
            "ELEMENT": texts.element.take(element),
            "ELEMENT_DESCRIPTION": texts.description.take(element),
            "QSA_DESCRIPTION": step.take(which),
            "QSA_GROUP": group.take(which),
            "ASSESSMENT_REASON": reason.take(which),
            "FORM_OUTCOME": outcome.take(which),
            "SERVICE_TEAM": team.take(places),
            "WEEKLY_COST": csv_cells.pounds(pence),
            "POSTCODE": texts.postcode.take(code),
            "GENDER": texts.gender.take(universe.gender(person)),
            "ETHNICITY": texts.ethnicity.take(universe.ethnicity(person)),
            "CLIENT_GROUP": client.take(disabled),
            "WARD": wards.take(ward),
            "CONSTITUENCY": seats.take(ward),
        }

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
        render=render,
        starts=lambda rows: records.start[rows].astype(np.int64),
        spare_identifier=FIRST_IDENTIFIER + 90_000_000,
        marginals=lambda: children_marginals(records),
    )
