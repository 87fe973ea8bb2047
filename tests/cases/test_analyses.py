"""Analyses of datasets that lack a column: a sentence that names it, and all other tables."""

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from shapely import box

from socare_spark.analyses.elements import job as elements
from socare_spark.analyses.flow import job as flow
from socare_spark.analyses.forecast import job as forecast
from socare_spark.analyses.provision import job as provision
from socare_spark.analyses.requests import job as requests
from socare_spark.analyses.use import job as use
from socare_spark.analysis import Context
from socare_spark.errors import MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

pytestmark = pytest.mark.spark
CONF = Path(__file__).parents[2] / "conf"
DAY, LATER = date(2012, 3, 1), date(2013, 3, 1)
AGREEMENT = {
    "person": ("bigint", 1), "element": ("string", "OAEHSGCO"), "service": ("string", "HOME"),
    "weekly_cost": ("decimal(12,2)", Decimal("70.00")), "agreement_start": ("date", DAY),
    "agreement_end": ("date", LATER), "age_at_start": ("int", 70),
    "postcode": ("string", "B16 1AA"), "service_description": ("string", "Care"),
    "ethnicity": ("string", "Other: Arab"), "gender": ("string", "F"),
    "client_group": ("string", "OA"), "extract": ("date", LATER),
}  # fmt: skip
REQUEST = {
    "snapshot": ("date", LATER), "service_description": ("string", "bins"),
    "request_date": ("date", DAY), "person": ("bigint", 1), "postcode": ("string", "B16 1AA"),
}  # fmt: skip
ASSESSMENT = {
    "person": ("bigint", 1), "qsa_group": ("string", "CA - Contact"),
    "assessment_reason": ("string", "R1 - Referral"), "assessment_start": ("date", DAY),
    "assessment_end": ("date", LATER), "form_outcome": ("string", "CLNFS - Close"),
    "service_team": ("string", "AD Erdington"), "postcode": ("string", "B1 1AA"),
    "extract": ("date", LATER),
}  # fmt: skip
DATASETS = {
    requests: {"requests": REQUEST},
    forecast: {"requests": REQUEST},
    elements: {"agreements_costed": AGREEMENT},
    provision: {"agreements_closed": AGREEMENT, "agreements_costed": AGREEMENT},
    flow: {"adult_assessments": ASSESSMENT, "agreements_adult": AGREEMENT},
}


@pytest.fixture
def council(spark, tmp_path):
    shutil.copytree(CONF, tmp_path / "conf")

    def new():
        run, quiet = Run("some", LocalStorage(tmp_path), {}), Progress(Console(quiet=True))
        return Context(spark, Lake(tmp_path / "lake"), tmp_path / "conf", None, None, run, quiet)

    return new


def gives(context, name, columns):
    declared = [ColumnSpec(key, kind, "Something.") for key, (kind, _) in columns.items()]
    table = TableSpec(Zone.RESTRICTED, name, "A record.", tuple(declared))
    rows = [tuple(value for _, value in columns.values())] * 2
    context.write(table, context.spark.createDataFrame(rows, table.schema))


def runs(council, module, **changed):
    """Runs an analysis on records of its datasets, of which one lacks a column or has it changed.

    Args:
        council: Makes the context of a new run.
        module: The analysis.
        changed: Name of a dataset and of its column, joined by `__` -> type and value, or None.
    """
    for name, columns in DATASETS[module].items():
        own = {k.partition("__")[2]: v for k, v in changed.items() if k.startswith(f"{name}__")}
        gives(council(), name, {k: v for k, v in (columns | own).items() if v is not None})
    run = council()
    module.ANALYSIS.job().run(run)
    return run


def left_out(run, module):
    """The tables that were not made, each of which a warning names."""
    lost = {table for table in module.ANALYSIS.writes if table.path not in run.run.outputs}
    said = "\n".join(run.run.warnings)
    assert all(f"{table.path} was not made: it needs " in said for table in lost)
    return {table.name for table in lost}


def test_elements_without_agreement_end_leave_out_cost_and_regions(council):
    run = runs(council, elements, agreements_costed__agreement_end=None)
    by_place = {"element_comparison", "element_concentration"}  # the lake has no areas
    assert left_out(run, elements) == {"region_profile"} | by_place
    end = "column agreement_end (date) of restricted/agreements_costed, to be kept in conf/datasets"
    assert len([text for text in run.run.warnings if end in text]) == 2
    # Nobody knows for how long an agreement without an end costs.
    profile = run.lake.read(run.spark, "working/element_profile").collect()
    assert {row["cost"] for row in profile} == {None}


def test_provision_needs_a_start_that_is_a_date_or_a_timestamp(council):
    """A text cannot be read as a day; a moment can."""
    run = runs(
        council,
        provision,
        agreements_closed__agreement_start=("string", "1.3.2012"),
        agreements_costed__agreement_start=("timestamp", datetime(2012, 3, 1, 13)),
    )
    assert {"dense_window", "registered_services"} <= left_out(run, provision)
    assert {"dataset_totals", "elements_per_person"} == {
        name.removeprefix("working/") for name in run.run.outputs
    } - {"removed_rows"}
    totals = run.lake.read(run.spark, "working/dataset_totals").where("age_band IS NULL")
    assert {(row["dataset"], row["cost"]) for row in totals.collect()} == {
        ("agreements_closed", None),
        ("agreements_costed", Decimal("7320.00")),  # twice 366 days
    }


def test_flow_without_outcomes_and_assessments_leaves_out_their_tables(council):
    path = council().conf / "flows" / "adult_assessment.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings["assessed"]["time"] = "assessed_on"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    run = runs(council, flow, adult_assessments__form_outcome=None)
    assert "assessed.time in conf/flows/adult_assessment.yaml" in run.run.warnings[0]
    parts = [text.partition(":")[0] for text in run.run.warnings]
    assert parts == [
        "Flow adult_assessment is followed without its assessed and its rows of "
        "working/stage_completion",
        "Flow adult_assessment is followed without its outcomes",
        "Flow adult_assessment is followed without its single_stage",
        *["Flow adult_assessment"] * 2,  # no record has the codes AS and SP
    ]
    totals = run.lake.read(run.spark, "working/stage_totals").collect()
    assert {row["stage"] for row in totals} == {"CA", "AG"}
    # The people with any assessment are not known.
    assert run.lake.read(run.spark, "working/stage_completion").count() == 0
    with pytest.raises(
        MissingInputError, match=r"Flow adult_assessment .* column assessment_start of"
    ):
        runs(council, flow, adult_assessments__assessment_start=None)


def test_forecast_and_requests_need_their_columns(council):
    with pytest.raises(
        MissingInputError, match=r"column request_date \(date\) of restricted/requests"
    ):
        runs(council, forecast, requests__request_date=None)
    run = runs(council, forecast, requests__request_date=("date", None))
    assert set(run.run.outputs) == {table.path for table in forecast.ANALYSIS.writes}
    with pytest.raises(
        MissingInputError, match=r"requests can make no table: .* service_description"
    ):
        runs(council, requests, requests__service_description=None)


def test_yearly_requests_without_people_are_counted_by_extract(council):
    """The contract has neither snapshots nor a column of a person."""
    conf = council().conf
    contract = conf / "datasets" / "requests.yaml"
    declared = yaml.safe_load(contract.read_text("utf-8"))
    del declared["socare"]["snapshots"], declared["socare"]["extract_column"]
    contract.write_text(yaml.safe_dump(declared), "utf-8")
    table = TableSpec(
        Zone.RESTRICTED, "requests", "A record.",
        (ColumnSpec("service_description", "string", "."), ColumnSpec("extract", "date", ".")),
    )  # fmt: skip
    rows = [("bins", DAY), ("bins.", DAY), ("bins.", LATER), ("bins.", LATER), ("trees", LATER)]
    council().write(table, council().spark.createDataFrame(rows, table.schema))
    run = council()
    requests.ANALYSIS.job().run(run)
    assert left_out(run, requests) == set()
    found = rows_of(run, requests)
    assert [(r["snapshot"], r["records"], r["descriptions"]) for r in found[SNAPSHOTS]] == [
        (DAY, 2, 2),
        (LATER, 3, 2),
    ]
    # Spellings of all extracts are compared: the newest has only one of them.
    assert [(r["description"], r["records"]) for r in found["working/request_variants"]] == [
        ("bins", 1),
        ("bins.", 3),
    ]
    said = "\n".join(run.run.warnings)
    assert "each extract of restricted/requests counts as a part of all records" in said
    assert "The column person (bigint) of restricted/requests, to be kept in conf/datasets" in said


SNAPSHOTS = "working/request_snapshots"
RENAMED = {
    "person": "client", "agreement_start": "agreement_end", "agreement_end": "agreement_start",
    "weekly_cost": "price", "element": "code",
}  # fmt: skip
ROLES = {
    "person": "client", "start": "agreement_end", "end": "agreement_start", "cost": "price",
    "element": "code",
}  # fmt: skip


def sets(council, analysis, **values):
    path = council().conf / "analyses" / f"{analysis}.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | values), "utf-8")


def rows_of(run, module):
    """Table -> its rows."""
    paths = [t.path for t in module.ANALYSIS.writes if t.path in run.run.outputs]
    return {p: sorted(run.lake.read(run.spark, p).collect(), key=str) for p in paths}


def test_columns_of_other_names_give_the_same_tables(council):
    """The names of the first and the last day are exchanged."""
    expected = rows_of(runs(council, elements), elements)
    assert expected["working/region_profile"]
    # The contract does not have these names, so the roles are not checked.
    (council().conf / "datasets" / "agreements_costed.yaml").unlink()
    sets(council, "elements", roles=ROLES)
    gives(council(), "agreements_costed", {RENAMED.get(k, k): v for k, v in AGREEMENT.items()})
    run = council()
    elements.ANALYSIS.job().run(run)
    assert rows_of(run, elements) == expected


def test_a_role_without_a_column_leaves_out_its_tables(council):
    sets(council, "provision", roles={"datasets": {"agreements_closed": {"start": None}}})
    run = runs(council, provision)
    assert {"dense_window", "registered_services"} <= left_out(run, provision)
    role = (
        "it needs the role start (date) of restricted/agreements_closed, to be mapped to a column "
        "under roles.start in conf/analyses/provision.yaml"
    )
    assert any(role in text for text in run.run.warnings)
    assert {"dataset_totals", "elements_per_person"} <= {
        name.removeprefix("working/") for name in run.run.outputs
    }


def test_a_mapped_column_that_the_lake_lacks_is_named(council):
    (council().conf / "datasets" / "requests.yaml").unlink()
    sets(council, "requests", roles={"description": "topic"})
    missing = (
        r"the column topic \(string\) of restricted/requests, to be kept in "
        r"conf/datasets/requests.yaml or replaced under roles.description in "
        r"conf/analyses/requests.yaml"
    )
    with pytest.raises(MissingInputError, match=missing):
        runs(council, requests)


def gives_places(council):
    """Two snapshots of agreements with a ward in the column `home`, and the areas of wards."""
    path = council().conf / "datasets" / "agreements_costed.yaml"
    contract = yaml.safe_load(path.read_text("utf-8"))
    (field,) = (f for f in contract["schema"]["fields"] if f["name"] == "POSTCODE")
    field["socare"] = {"keep": "as_is", "as": "home"}
    contract["socare"] |= {"snapshots": True}
    path.write_text(yaml.safe_dump(contract), "utf-8")
    homes = [("ward W1", 1), ("ward W1", 2), ("ward W2", 3), ("ward W9", 4), (None, 5)]
    copies = [(*home, LATER) for home in homes]
    copies += [(home, person + 10, DAY) for home, person in homes]
    declared = {("home" if k == "postcode" else k): kind for k, (kind, _) in AGREEMENT.items()}
    table = TableSpec(
        Zone.RESTRICTED, "agreements_costed", "A record.",
        tuple(ColumnSpec(*column, "Something.") for column in declared.items()),
    )  # fmt: skip
    rows = [
        tuple(({k: v for k, (_, v) in AGREEMENT.items()}
               | {"home": home, "person": person, "extract": day})[k] for k in declared)
        for home, person, day in copies
    ]  # fmt: skip
    new = council()
    new.write(table, new.spark.createDataFrame(rows, table.schema))
    square = bytearray(box(0, 0, 1, 1).wkb)
    areas = [("ward", code, code, 1.0, square) for code in ("W1", "W2")]
    new.write(AREAS, new.spark.createDataFrame(areas, AREAS.schema))
    places = [(f"ward {code}", "ward", code, "inside") for code in ("W1", "W2")]
    new.write(PLACE_AREAS, new.spark.createDataFrame(places, PLACE_AREAS.schema))
    new.write(POSTCODE_AREAS, new.spark.createDataFrame([], POSTCODE_AREAS.schema))


def test_districts_can_be_the_areas_of_recorded_places(council):
    gives_places(council)
    dataset, roles = "agreements_costed", {"place": "home"}
    sets(council, "elements", roles=roles, layer="ward")
    run = council()
    elements.ANALYSIS.job().run(run)
    compared = run.lake.read(run.spark, "working/element_comparison").collect()
    assert {(row["district"], row["people"]) for row in compared} == {("W1", 2), ("W2", 1)}

    datasets = {"totals": {dataset: "costed"}, "dense_datasets": [dataset], "dataset": dataset}
    own = {"datasets": {dataset: roles}}
    sets(council, "provision", **datasets, roles=own, layer="ward", first_year=2012, last_year=2012)
    run = council()
    provision.ANALYSIS.job().run(run)
    matrix = run.lake.read(run.spark, "working/provision_matrix").collect()
    assert {(row["district"], row["records"]) for row in matrix} == {("W1", 2), ("W2", 1)}
    removed = run.lake.read(run.spark, "working/removed_rows").where(
        "analysis = 'provision_matrix'"
    )
    assert {(row["reason"], row["records"]) for row in removed.collect()} == {
        ("no_postcode", 1),
        ("outside_city", 1),
    }

    sets(council, "use", roles=roles, layer="ward", first_year=2012, last_year=2012)
    path = council().conf / "analyses" / "use.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings["threshold"]["elements"] = ["OAEHSGCO"]
    path.write_text(yaml.safe_dump(settings), "utf-8")
    run = council()
    use.ANALYSIS.job().run(run)
    over = run.lake.read(run.spark, "working/threshold_use").where(
        "year = 2012 AND element IS NOT NULL AND district IS NOT NULL"
    )
    assert {(row["district"], row["people"]) for row in over.collect()} == {("W1", 2), ("W2", 1)}


COUNTED = [("bins", DAY, 40), ("bins", DAY, 2), ("trees", DAY, -3), ("pests", DAY, None),
           ("rats", DAY, 0)]  # fmt: skip
INVALID = (
    "Rows of restricted/requests do not count: 1 have no number in the column number, and 1 have a "
    "negative one."
)


def gives_counted_requests(council):
    (council().conf / "datasets" / "requests.yaml").unlink()
    columns = ("service_description string", "request_date date", "number bigint", "snapshot date")
    declared = tuple(ColumnSpec(*column.split(), "Something.") for column in columns)
    table = TableSpec(Zone.RESTRICTED, "requests", "A record.", declared)
    rows = [(*row, LATER) for row in COUNTED]
    council().write(table, council().spark.createDataFrame(rows, table.schema))


def test_requests_sum_the_counts_of_rows(council):
    gives_counted_requests(council)
    sets(council, "requests", roles={"count": "number"})
    run = council()
    requests.ANALYSIS.job().run(run)
    (row,) = run.lake.read(run.spark, SNAPSHOTS).collect()
    assert (row["records"], row["descriptions"], row["people"]) == (42, 1, 0)
    (top,) = run.lake.read(run.spark, "working/request_top").collect()
    assert (top["description"], top["records"]) == ("bins", 42)
    assert INVALID in run.run.warnings


def test_provision_sums_the_counts_of_one_dataset(council):
    many = AGREEMENT | {"number": ("bigint", 7)}
    (council().conf / "datasets" / "agreements_closed.yaml").unlink()
    gives(council(), "agreements_closed", many)
    gives(council(), "agreements_costed", AGREEMENT)
    sets(council, "provision", roles={"datasets": {"agreements_closed": {"count": "number"}}})
    run = council()
    provision.ANALYSIS.job().run(run)
    whole = run.lake.read(run.spark, "working/dataset_totals").where("age_band IS NULL").collect()
    assert {(row["dataset"], row["people"], row["records"]) for row in whole} == {
        ("agreements_closed", 1, 14),
        ("agreements_costed", 1, 2),
    }
    window = run.lake.read(run.spark, "working/dense_window").collect()
    assert {(row["dataset"], row["records"]) for row in window} == {
        ("agreements_closed", 14),
        ("agreements_costed", 2),
    }
    elements_of = run.lake.read(run.spark, "working/elements_per_person").where(
        "age_band IS NULL AND kind = 'registered'"
    )
    assert [(row["elements"], row["people"]) for row in elements_of.collect()] == [(14, 1)]


def test_a_mapped_count_that_the_lake_lacks_leaves_out_its_tables(council):
    (council().conf / "datasets" / "requests.yaml").unlink()
    sets(council, "requests", roles={"count": "number"})
    with pytest.raises(MissingInputError, match=r"the column number \(bigint\) of restricted/req"):
        runs(council, requests)
