"""A council with other names for everything runs a study by configuration alone.

It has no agreements, two CRM systems with identifiers of their own, other columns, codes, stages
and layers, and only the settings of the analyses that it uses.
"""

import io
import json
from datetime import date

import pytest
from rich.console import Console
from studies import run_here

from socare_spark.configuration.check import check_configuration
from socare_spark.errors import ExitCode
from socare_spark.lake.lake import Lake
from socare_spark.registry import JOBS

CONF = {
    "project.yaml": """
council: northport
project: pathways
key_id: y2024
schemes:
  citizen: {person: true, remove: "-"}
  account: {person: true}
  reference: {}
""",
    "datasets/front_door.yaml": """
name: front_door
dialect: {delimiter: ";"}
schema:
  primaryKey: [Reference]
  fields:
    - {name: Reference, constraints: {required: true}, socare: {pseudonymise: reference}}
    - {name: Citizen No, socare: {pseudonymise: citizen, as: person}}
    - {name: Step, socare: {keep: as_is}}
    - {name: Began, type: date, format: "%d.%m.%Y", socare: {keep: as_is}}
    - {name: Decision, socare: {keep: as_is}}
socare: {files: 'front door/(?P<period>\\d{4}) steps\\.txt'}
""",
    "datasets/hub_calls.yaml": """
name: hub_calls
schema:
  primaryKey: [CallRef]
  fields:
    - {name: CallRef, constraints: {required: true}, socare: {pseudonymise: reference}}
    - {name: Made, type: date, format: "%d/%m/%Y", socare: {keep: as_is, as: called_on}}
    - {name: About, socare: {keep: as_is, as: topic}}
    - {name: Caller, socare: {pseudonymise: citizen, as: person}}
    - {name: Quarter Code, socare: {keep: as_is, as: quarter_code}}
socare:
  files: 'hub/calls-(?P<period>\\d{4}-\\d{2})\\.csv'
  year_ends: 03-31
  place: {area: Quarter Code, layer: quarter}
""",
    "datasets/street_reports.yaml": """
name: street_reports
schema:
  primaryKey: none
  fields:
    - {name: Day, type: date, socare: {keep: as_is, as: reported_on}}
    - {name: Kind, socare: {keep: as_is, as: kind_of_report}}
    - {name: Account, socare: {pseudonymise: account, as: person}}
    - {name: Home, socare: {keep: postcode, as: home}}
socare: {files: 'street/(?P<period>\\d{4}Q\\d)\\.csv'}
""",
    "datasets/account_links.yaml": """
name: account_links
schema:
  primaryKey: [citizen, account]
  fields:
    - {name: citizen, constraints: {required: true}, socare: {pseudonymise: citizen, as: person}}
    - {name: account, constraints: {required: true}, socare: {pseudonymise: account, as: holder}}
socare: {files: 'links/(?P<period>\\d{8})\\.csv', snapshots: true, extract_column: copied_on}
""",
    "places.yaml": """
postcodes: [{name: paf, layout: codepoint, files: [map/postcodes.csv]}]
layers:
  quarter: {kind: file, file: map/quarters.geojson, crs: "EPSG:27700", code: id, name: label}
  borough: {kind: dissolve, layer: quarter, code: NP, name: Northport}
  outcode: {kind: postcode, level: district}
bounds: borough
""",
    "flows/pathway.yaml": """
flow: pathway
title: From the front door to support
stages:
  - {code: DOOR, name: Front door,
     records: {dataset: front_door, time: began, column: step, codes: [INT]}}
  - {code: VISIT, name: Visit,
     records: {dataset: front_door, time: began, column: step, codes: [VIS]}}
  - {code: OFFER, name: Offer,
     records: {dataset: front_door, time: began, column: step, codes: ["OFF"]}}
""",
    "analyses/combinations.yaml": """
dataset: front_door
columns: [step, decision]
first_day: began
last_day: began
""",
    "analyses/requests.yaml": """
dataset: hub_calls
roles: {description: topic}
top: 5
drawn: 5
""",
    "analyses/forecast.yaml": """
horizon: 2
shortest: 16
origins: 2
least_people: 2
requests: {dataset: street_reports, roles: {description: kind_of_report, time: reported_on}, top: 2}
""",
    "analyses/cross_service.yaml": """
services:
  - name: hub
    records: [{dataset: hub_calls, date: called_on, category: topic, postcode: place}]
  - name: street
    records:
      - {dataset: street_reports, date: reported_on, category: kind_of_report, postcode: home}
layers: [quarter, outcode]
scheme: citizen
crosswalks: [account_links]
""",
    "vocabulary/subprocesses.yaml": "subprocesses: {}\n",
}
SQUARES = {"Q1": 330_000, "Q2": 331_000}
LANDING = {
    "front door/2021 steps.txt": [
        "Step;Reference;Began;Citizen No;Decision",
        "INT - Initial contact;r1;10.01.2021;1-0;GO - Go on",
        "INT - Initial contact;r2;10.02.2021;2-0;NO - Stop",
        "VIS - Visit;r3;01.03.2021;10;GO - Go on",
        "OFF - Offer;r4;01.04.2021;10;GO - Go on",
    ],
    "hub/calls-2021-22.csv": [
        "CallRef,Made,About,Caller,Quarter Code",
        "h1,05/04/2021,Bins,10,Q1",
        "h2,06/05/2021,Bins,30,Q2",
        "h3,31/03/2022,Noise,,Q1",
    ],
    "street/2021Q2.csv": [
        "Day,Kind,Account,Home",
        "2021-05-01,Pothole,10,np1 1aa",
        "2021-06-01,Pothole,99,NP2 1AA",
        "2021-06-01,Pothole,99,NP2 1AA",
    ],
    "links/20211231.csv": ["citizen,account", "30,99"],
    "map/postcodes.csv": ['"NP1 1AA",10,330500,188500', '"NP2 1AA",10,331500,188500'],
}


@pytest.fixture(scope="module")
def northport(spark_session, tmp_path_factory):
    root = tmp_path_factory.mktemp("northport")
    for folder, files in ((root / "conf", CONF), (root / "landing", LANDING)):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else "\n".join([*content, ""])
            (folder / name).write_text(text, "utf-8")
    shapes = [
        {
            "type": "Feature",
            "properties": {"id": code, "label": f"Quarter {code}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[x, 188_000], [x + 1000, 188_000], [x + 1000, 189_000], [x, 189_000],
                     [x, 188_000]]
                ],
            },
        }
        for code, x in SQUARES.items()
    ]  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    quarters = {"type": "FeatureCollection", "crs": crs, "features": shapes}
    (root / "landing/map/quarters.geojson").write_text(json.dumps(quarters))
    said = Console(record=True, width=500, file=io.StringIO())
    arguments = ("--conf", f"{root}/conf", "--landing", f"{root}/landing", "--mlflow", "off")
    assert run_here(spark_session, root, JOBS, *arguments, key="33" * 32, console=said) == (
        ExitCode.DONE
    ), said.export_text()
    lake = Lake(root / "lake")

    def rows(table, *columns):
        frame = lake.read(spark_session, table).select(*columns)
        return sorted((tuple(row) for row in frame.collect()), key=str)

    rows.conf, rows.lake = root / "conf", lake
    return rows


def test_configuration_has_no_fault(northport):
    findings = check_configuration(northport.conf)
    assert (findings.faults, findings.notes) == ([], [])


def test_records_are_read_with_their_columns_and_places(northport):
    assert northport("restricted/hub_calls", "called_on", "topic", "place", "extract") == [
        (date(2021, 4, 5), "Bins", "quarter Q1", date(2022, 3, 31)),
        (date(2021, 5, 6), "Bins", "quarter Q2", date(2022, 3, 31)),
        (date(2022, 3, 31), "Noise", "quarter Q1", date(2022, 3, 31)),
    ]
    assert len(northport("restricted/street_reports", "home")) == 3
    (first, visit) = (
        {p for p, s in northport("restricted/front_door", "person", "step") if s[:3] == step}
        for step in ("INT", "VIS")
    )
    assert visit < first


def test_stages_and_combinations_have_the_codes_of_the_council(northport):
    assert northport("working/stage_totals", "flow", "stage", "people") == [
        ("pathway", "DOOR", 2), ("pathway", "OFFER", 1), ("pathway", "VISIT", 1),
    ]  # fmt: skip
    sets = dict(northport("working/combination_sets", "combination", "records"))
    assert sum(sets.values()) == 4
    assert len(sets) == 4


def test_people_of_two_systems_are_joined_by_the_crosswalk_only(northport):
    # Citizen 10 and account 10 are two people; citizen 30 and account 99 are one.
    assert northport("working/cross_service_people", "services", "people", "records") == [
        ("hub", 1, 1), ("hub+street", 1, 3), ("street", 1, 1),
    ]  # fmt: skip


def test_areas_are_those_of_the_layers_of_the_council(northport):
    counted = northport("working/requests_by_area", "service", "layer", "code", "month", "records")
    assert [row[:3] + row[4:] for row in counted if row[0] == "street"] == [
        ("street", "outcode", "NP1", 1), ("street", "outcode", "NP2", 2),
        ("street", "quarter", "Q1", 1), ("street", "quarter", "Q2", 2),
    ]  # fmt: skip
    assert ("hub", "quarter", "Q1", "2021-04", 1) in counted


def test_requests_and_forecasts_have_the_descriptions_of_the_council(northport):
    top = northport("working/request_top", "description", "rank", "records")
    assert top == [("Bins", 1, 2), ("Noise", 2, 1)]
    assert {row[0] for row in northport("working/forecast", "series")} <= {"Pothole, records"}


def test_analyses_without_settings_make_no_table(northport):
    for table in ("dataset_totals", "users_by_quarter", "element_profile"):
        assert not northport.lake.exists(f"working/{table}")
