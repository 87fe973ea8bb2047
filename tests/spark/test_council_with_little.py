"""Jobs of a council that has some datasets and not others: what can be made is made, and drawn."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from shapely import box

from socare_spark.analyses.elements import job as elements
from socare_spark.analyses.elements.comparison import ELEMENT_COMPARISON
from socare_spark.analyses.flow import job as flow
from socare_spark.analyses.requests import job as requests
from socare_spark.analyses.use import job as use
from socare_spark.analysis import Context
from socare_spark.errors import MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.places.reference_tables import AREAS
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).parents[2] / "conf"
DAY = date(2012, 3, 1)
AGREEMENTS = (
    "person bigint, element string, weekly_cost decimal(12,2), agreement_start date, "
    "agreement_end date, age_at_start int, postcode string, ethnicity string, gender string, "
    "client_group string, extract date"
)
ASSESSMENTS = (
    "person bigint, qsa_group string, assessment_start date, assessment_end date, "
    "form_outcome string, service_team string, postcode string, extract date"
)


@pytest.fixture
def council(spark, tmp_path):
    """A new run on the same lake and the same configuration."""
    shutil.copytree(CONF, tmp_path / "conf")

    def new():
        run = Run("some", LocalStorage(tmp_path), {})
        quiet = Progress(Console(quiet=True))
        return Context(spark, Lake(tmp_path / "lake"), tmp_path / "conf", None, None, run, quiet)

    return new


def gives(context, name, columns, *rows):
    """Puts a dataset into the lake."""
    declared = [ColumnSpec(*column.split(), "Something.") for column in columns.split(", ")]
    table = TableSpec(Zone.RESTRICTED, name, "A record.", tuple(declared))
    context.write(table, context.spark.createDataFrame(list(rows), columns))


def agreement(person, element, postcode):
    cost = Decimal("70.00")
    return (person, element, cost, DAY, DAY, 70, postcode, "Other: Arab", "F", None, DAY)


def made(context):
    return {name.removeprefix("working/") for name in context.run.outputs}


def drawn(context):
    assert all((context.lake.storage.root / path).is_file() for path in context.run.pictures)
    return {Path(path).stem for path in context.run.pictures}


def test_elements_without_areas(council):
    gives(
        council(), "agreements_costed", AGREEMENTS,
        agreement(1, "OAHSGCO", "B16 1AA"), agreement(2, "HSSU65PL", "B1 1AA"),
    )  # fmt: skip
    run = council()
    elements.ANALYSIS.job().run(run)
    assert made(run) == {"element_profile", "element_variants", "region_profile"}
    assert drawn(run) == {"element_profile_OAEHSGCO_HSSU65PL", "region_profile"}
    profile = run.lake.read(run.spark, elements.ELEMENT_PROFILE)
    assert {r["element"] for r in profile.collect()} == {"OAEHSGCO", "HSSU65PL"}
    whole = "region = 'Northern' AND year IS NULL AND age_band IS NULL AND ethnicity IS NULL"
    (row,) = run.lake.read(run.spark, elements.REGION_PROFILE).where(whole).collect()
    assert (row["people"], row["cost"], row["population"]) == (1, Decimal("10.00"), 45_000)
    said = "\n".join(run.run.warnings)
    assert "names the district B18, B19, B20 and " in said
    assert "names the element OAIHSENB, which no record has" in said
    assert (
        "working/element_comparison was not made: it needs the layer district in reference/areas"
        in said
    )


def test_elements_where_the_city_lacks_a_district_of_a_region(council):
    gives(council(), "agreements_costed", AGREEMENTS, agreement(1, "OAHSGCO", "B16 1AA"))
    areas = [
        ("district", name, name, 1.0, bytearray(box(400000 + i, 1, 400001 + i, 2).wkb))
        for i, name in enumerate(["B9", "B13", "B14", "B16", "B18", "B19", "B20", "B25", "B26",
                                  "B30", "B31", "B33", "B10"])
    ]  # fmt: skip
    given = council()
    given.write(AREAS, given.spark.createDataFrame(areas, AREAS.schema))
    run = council()
    elements.ANALYSIS.job().run(run)
    assert made(run) >= {"element_comparison", "element_concentration", "region_profile"}
    assert drawn(run) == {
        "element_comparison_OAEHSGCO_HSSU65PL",  # as a chart and as a map
        "element_profile_OAEHSGCO_HSSU65PL",
        "element_concentration",
        "region_profile",
    }
    assert len(run.run.pictures) == 5
    about_districts = [text for text in run.run.warnings if "district" in text]
    assert [text.partition(";")[0] for text in about_districts] == [
        "analyses/elements.yaml names the district B21, which the city does not have"
    ]


def test_areas_without_districts(council):
    given = council()
    gives(given, "agreements_costed", AGREEMENTS, agreement(1, "OAHSGCO", "B16 1AA"))
    ward = ("ward", "W1", "One", 1.0, box(0, 0, 1, 1).wkb)
    given.write(AREAS, given.spark.createDataFrame([ward], AREAS.schema))
    run = council()
    elements.ANALYSIS.job().run(run)
    assert made(run) == {"element_profile", "element_variants", "region_profile"}
    assert "the layer district in reference/areas" in run.unavailable[ELEMENT_COMPARISON.path]
    run = council()
    use.ANALYSIS.job().run(run)
    assert {t.name for t in use.ANALYSIS.writes} <= made(run)


def test_elements_without_regions_with_characteristics_named_as_results(council):
    given = council()
    more = "district string, code string, year int"
    row = (*agreement(1, "OAHSGCO", "B16 1AA"), "North", "x", 1999)
    gives(given, "agreements_costed", f"{AGREEMENTS}, {more}", row)
    file = given.conf / "analyses" / "elements.yaml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    del settings["regions"]
    settings["characteristics"] = ["district", "code", "year"]
    file.write_text(yaml.safe_dump(settings), "utf-8")
    run = council()
    elements.ANALYSIS.job().run(run)
    assert made(run) == {"element_profile", "element_variants"}
    profile = run.lake.read(run.spark, elements.ELEMENT_PROFILE)
    assert {(r["characteristic"], r["value"]) for r in profile.collect()} == {
        ("district", "North"), ("code", "x"), ("year", "1999"), ("age_band", "65-90"),
    }  # fmt: skip
    # The configuration asks for no table of regions.
    assert not [text for text in run.run.warnings if "region" in text]


def test_flow_without_its_datasets_is_left_out(council):
    given = council()
    log = {"dataset": "permits", "case": "job", "time": "day", "activity": "step"}
    permits = {"flow": "permits", "title": "Permits", "log": log}
    (given.conf / "flows" / "permits.yaml").write_text(yaml.safe_dump(permits), "utf-8")
    with pytest.raises(
        MissingInputError, match="restricted/adult_assessments, restricted/agreements"
    ):
        flow.ANALYSIS.job().run(council())
    gives(
        given, "permits", "job bigint, day date, step string",
        (1, DAY, "in"), (1, date(2012, 3, 4), "out"), (2, DAY, "in"),
    )  # fmt: skip
    run = council()
    flow.ANALYSIS.job().run(run)
    assert len(made(run)) == len(flow.ANALYSIS.writes)
    assert drawn(run) == {"flow_permits", "flow_permits_waiting"}
    assert run.run.warnings == [
        "Flow adult_assessment is left out: the lake does not have restricted/adult_assessments "
        "and restricted/agreements_adult."
    ]
    totals = run.lake.read(run.spark, "working/stage_totals").collect()
    assert {(r["flow"], r["stage"], r["people"]) for r in totals} == {
        ("permits", "in", 2),
        ("permits", "out", 1),
    }


def test_a_flow_is_followed_once_its_datasets_are_there(council):
    given = council()
    contact = (1, "CA - Contact", DAY, DAY, "CLNFS - Close", "AD Erdington", "B1 1AA", DAY)
    gives(given, "adult_assessments", ASSESSMENTS, contact)
    gives(given, "agreements_adult", "person bigint, agreement_start date, extract date")
    run = council()
    flow.ANALYSIS.job().run(run)
    lacking = "which no record of adult_assessments has in qsa_group"
    named = [text.partition(" names ")[2] for text in run.run.warnings]
    assert named == [f"AS, {lacking}.", f"SP, {lacking}."]
    assert drawn(run) == {
        "flow_adult_assessment",
        "flow_adult_assessment_outcomes",
        "flow_adult_assessment_waiting",
        "flow_adult_assessment_single_stage",
    }


def test_requests_alone(council):
    gives(
        council(), "requests", "snapshot date, service_description string, person bigint",
        (DAY, "bins", None), (DAY, "bins", 1), (DAY, "trees", None),
    )  # fmt: skip
    run = council()
    requests.ANALYSIS.job().run(run)
    assert {"request_snapshots", "request_top", "request_variants"} <= made(run)
    assert drawn(run) == {"request_ranks"}
