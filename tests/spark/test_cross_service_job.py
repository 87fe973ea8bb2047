"""From extracts to cross-service tables, by the shipped configuration and a service added to it."""

import shutil
from pathlib import Path

import pytest
import shapely
import yaml
from rich.console import Console

from socare_spark.analyses.cross_service.counts import (
    CROSS_SERVICE_PEOPLE,
    CROSS_SERVICE_PLACES,
    REQUESTS_BY_AREA,
    UNLINKABLE,
)
from socare_spark.analyses.cross_service.job import ANALYSIS
from socare_spark.analysis import Context
from socare_spark.errors import MissingInputError
from socare_spark.ingest.job import JOB as INGEST
from socare_spark.lake.lake import Lake
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS
from socare_spark.storage.landing import Landing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).resolve().parents[2] / "conf"
EXTRACTS = {
    "requests/requests_2019-08-12.csv": """SERVICE_DESCRIPTION,RECORD_ID,REQUEST_DATE
Bins,1,2019-08-01
""",
    "requests/requests_2020-02-25.csv": """SERVICE_DESCRIPTION,RECORD_ID,REQUEST_DATE,POSTCODE,PERID
Bins,1,2019-08-01,B1 1AA,7
Bins,2,2020-02-01,B2 2AA,8
Bins,3,2020-02-02,B2 2AA,
Pests,4,2020-02-03,,9
""",
    "tenancies/tenancies_2019.csv": """\
TENANCY_ID,TENANT_ID,TENANCY_START,TENANCY_END,TENURE,POSTCODE
1,501,2018-01-01,,Secure,B1 1AA
2,502,2018-02-01,,Secure,B2 2AA
3,8,2018-03-01,,Secure,B2 2AA
4,503,2018-04-01,,Secure,B7 7AA
""",
    # 7 is twice a tenant; 10 is 502 as well as 8, who is no longer 503; tenant 8 is not person 8.
    "crosswalk_tenants/crosswalk_tenants_2019-08-12.csv": "PERID,TENANT_ID\n8,503\n",
    "crosswalk_tenants/crosswalk_tenants_2020-02-25.csv": """PERID,TENANT_ID
7,501
7,503
8,502
10,502
""",
    "leisure_passes/leisure_passes_2020-01.csv": """PASS_ID,PERID,ISSUED,KIND,POSTCODE
1,10,2020-01-05,Swimming,B1 1AA
2,11,2020-01-06,Gym,B1 1AA
""",
}
# All that it takes to add a service.
CONTRACT = r"""
name: leisure_passes
schema:
  primaryKey: [PASS_ID]
  fields:
    - {name: PASS_ID, constraints: {required: true}, socare: {pseudonymise: request}}
    - {name: PERID, socare: {pseudonymise: carefirst, as: person}}
    - {name: ISSUED, type: date, constraints: {required: true}, socare: {keep: as_is}}
    - {name: KIND, socare: {keep: as_is}}
    - {name: POSTCODE, socare: {keep: postcode}}
socare:
  files: 'leisure_passes/leisure_passes_(?P<period>\d{4}-\d{2})\.csv'
"""
SERVICE = {
    "name": "leisure",
    "records": [{"dataset": "leisure_passes", "date": "issued", "category": "kind"}],
}
SHAPES = {"city": ["C"], "ward": ["W1", "W2", "W3"], "district": ["B1", "B2"]}
PLACES = [
    (postcode, layer, code, "inside" if code else "outside")
    for postcode, ward in (("B1 1AA", "W1"), ("B2 2AA", "W2"), ("B7 7AA", None))
    for layer, code in (("ward", ward), ("district", ward and postcode.split()[0]))
]


class Town:
    """A council with a few records: its folders, and jobs run on them."""

    def __init__(self, spark, root):
        self.spark, self.landing, self.conf = spark, root / "landing", root / "conf"
        self.lake = Lake(root / "lake")
        shutil.copytree(CONF, self.conf)

    def lands(self, *datasets):
        for name, text in EXTRACTS.items():
            if name.split("/")[0] in datasets:
                path = self.landing / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def adds_leisure(self):
        (self.conf / "datasets" / "leisure_passes.yaml").write_text(CONTRACT)
        path = self.conf / "analyses" / "cross_service.yaml"
        settings = yaml.safe_load(path.read_text())
        settings["services"].append(SERVICE)
        path.write_text(yaml.safe_dump(settings))

    def places(self):
        columns = "postcode string, layer string, code string, rule string"
        frame = self.spark.createDataFrame(PLACES, columns)
        self.lake.replace_arrow(POSTCODE_AREAS, frame.toArrow(), {})
        areas = [
            (layer, code, code, 1.0, bytearray(shapely.box(i, 0, i + 1, 1).wkb))
            for layer, codes in SHAPES.items()
            for i, code in enumerate(codes)
        ]
        self.lake.replace_arrow(
            AREAS, self.spark.createDataFrame(areas, AREAS.schema).toArrow(), {}
        )

    def runs(self, job):
        run = Run(job.name, self.lake.storage, {})
        quiet = Progress(Console(quiet=True))
        job.run(Context(self.spark, self.lake, self.conf, Landing(self.landing), None, run, quiet))
        return run

    def rows(self, table, *columns):
        frame = self.lake.read(self.spark, table).select(*columns)
        return sorted((tuple(row) for row in frame.collect()), key=str)


@pytest.fixture
def town(spark, tmp_path, monkeypatch):
    monkeypatch.setenv("SOCARE_KEY", "11" * 32)
    return Town(spark, tmp_path)


def test_a_service_is_added_by_a_contract_and_a_few_lines(town):
    town.lands("requests", "tenancies", "crosswalk_tenants", "leisure_passes")
    town.adds_leisure()
    town.places()
    town.runs(INGEST)
    run = town.runs(ANALYSIS.job())
    assert town.rows(CROSS_SERVICE_PEOPLE, "services", "people", "records") == [
        ("crm", 1, 1),  # 9
        ("crm+housing", 1, 3),  # 7 with its two tenancies
        ("crm+housing+leisure", 1, 3),  # 8 and 10 are one, by tenant 502
        ("housing", 1, 1),  # tenant 8, whom no crosswalk holds
        ("leisure", 1, 1),  # 11
    ]
    by_ward = [r[1:] for r in town.rows(
        CROSS_SERVICE_PLACES, "layer", "code", "services", "people") if r[0] == "ward"]  # fmt: skip
    assert by_ward == [
        ("W1", "crm+housing", 1),
        ("W1", "leisure", 1),
        ("W2", "crm+housing+leisure", 1),  # the request is newer than the pass
        ("W2", "housing", 1),
        (None, "crm", 1),
    ]
    names = ("service", "layer", "code", "month", "category", "people", "records")
    of_ward = [r for r in town.rows(REQUESTS_BY_AREA, *names) if r[1] == "ward"]
    assert of_ward == [
        ("crm", "ward", "W1", "2019-08", "Bins", 1, 1),  # of the newest snapshot alone
        ("crm", "ward", "W2", "2020-02", "Bins", 1, 2),
        ("housing", "ward", "W1", "2018-01", "Secure", 1, 1),
        ("housing", "ward", "W2", "2018-02", "Secure", 1, 1),
        ("housing", "ward", "W2", "2018-03", "Secure", 1, 1),
        ("leisure", "ward", "W1", "2020-01", "Gym", 1, 1),
        ("leisure", "ward", "W1", "2020-01", "Swimming", 1, 1),
    ]
    assert town.rows(UNLINKABLE, "service", "reason", "records") == [
        ("crm", "no_person", 1),
        ("crm", "no_postcode", 1),
        ("housing", "not_in_crosswalk", 1),
        ("housing", "outside_city", 1),
    ]
    assert run.pictures == [
        "working/pictures/cross_service.png",
        "working/maps/cross_service_ward.png",
        "working/maps/cross_service_district.png",
    ]
    told = [w for w in run.warnings if "left out" in w]
    assert len(told) == 3  # the datasets of social care are not in the lake
    again = town.runs(ANALYSIS.job())
    assert again.outputs == run.outputs


def test_requests_without_areas_give_the_tables_without_areas(town):
    town.lands("requests")
    town.runs(INGEST)
    run = town.runs(ANALYSIS.job())
    assert town.rows(CROSS_SERVICE_PEOPLE, "services", "people", "records") == [("crm", 3, 3)]
    assert town.rows(UNLINKABLE, "service", "reason", "records") == [
        ("crm", "no_person", 1), ("crm", "no_postcode", 1),
    ]  # fmt: skip
    not_made = [w for w in run.warnings if "was not made" in w]
    assert not_made == [
        f"{t.path} was not made: it needs a layer of analyses/cross_service.yaml in "
        "reference/postcode_areas."
        for t in (REQUESTS_BY_AREA, CROSS_SERVICE_PLACES)
    ]
    assert not town.lake.exists(REQUESTS_BY_AREA)


def test_crosswalk_that_joins_too_many_identifiers_is_reported(town):
    town.lands("tenancies", "crosswalk_tenants")
    path = town.conf / "analyses" / "cross_service.yaml"
    path.write_text(path.read_text().replace("most_identifiers: 10", "most_identifiers: 2"))
    town.runs(INGEST)
    run = town.runs(ANALYSIS.job())
    (told,) = [w for w in run.warnings if "join" in w]
    assert told.startswith("The crosswalks join 3 identifiers to one person")
    assert town.rows(CROSS_SERVICE_PEOPLE, "services", "people") == [("housing", 3)]


def test_job_without_any_service_has_missing_inputs(town):
    with pytest.raises(MissingInputError, match="none of those"):
        town.runs(ANALYSIS.job())


def test_rows_of_a_service_can_represent_several_records(town):
    """Other services count one record for each row."""
    town.lands("requests", "leisure_passes")
    town.adds_leisure()
    town.places()
    contract = town.conf / "datasets" / "leisure_passes.yaml"
    field = "    - {name: VISITS, type: integer, socare: {keep: as_is}}\n"
    contract.write_text(CONTRACT.replace("    - {name: POSTCODE", f"{field}    - {{name: POSTCODE"))
    file = town.landing / "leisure_passes/leisure_passes_2020-01.csv"
    file.write_text(
        "PASS_ID,PERID,ISSUED,KIND,VISITS,POSTCODE\n1,10,2020-01-05,Swimming,30,B1 1AA\n"
        "2,11,2020-01-06,Gym,4,B1 1AA\n3,,2020-01-06,Gym,-1,B1 1AA\n"
    )
    path = town.conf / "analyses" / "cross_service.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["services"][-1]["records"][0]["count"] = "visits"
    path.write_text(yaml.safe_dump(settings))
    town.runs(INGEST)
    run = town.runs(ANALYSIS.job())
    rows = town.lake.read(town.spark, REQUESTS_BY_AREA).where("layer = 'ward'").collect()
    assert {(r["service"], r["category"], r["records"]) for r in rows} == {
        ("leisure", "Swimming", 30), ("leisure", "Gym", 4),
        ("crm", "Bins", 1), ("crm", "Bins", 2),
    }  # fmt: skip
    people = town.lake.read(town.spark, CROSS_SERVICE_PEOPLE).collect()
    assert {(r["services"], r["people"], r["records"]) for r in people} == {
        ("leisure", 2, 34), ("crm", 3, 3),
    }  # fmt: skip
    assert (
        "Rows of restricted/leisure_passes do not count: 0 have no number in the column visits, "
        "and 1 have a negative one." in run.warnings
    )
