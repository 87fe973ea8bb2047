"""The Data Package of a landing folder, validated by frictionless."""

import gzip
import json

import pytest
import yaml
from frictionless import validate
from onboarding import onboard

CONTRACT = {
    "name": "visits",
    "title": "Visits",
    "dialect": {"delimiter": ";"},
    "schema": {
        "primaryKey": ["ID"],
        "missingValues": ["", "NULL"],
        "fields": [
            {"name": "ID", "constraints": {"required": True}, "socare": {"keep": "as_is"}},
            {"name": "DAY", "type": "date", "alsoFormats": ["%d/%m/%Y"], "socare": {"drop": True}},
            {"name": "COST", "type": "number", "groupChar": ",", "bareNumber": False,
             "socare": {"keep": "as_is"}},
            {"name": "PAID", "type": "boolean", "trueValues": ["Y"], "falseValues": ["N"],
             "socare": {"keep": "as_is"}},
            {"name": "COUNT", "type": "integer",
             "missingValues": {"*": "suppressed", "": "unknown"},
             "constraints": {"minimum": 0}, "socare": {"keep": "as_is", "status": "count_status"}},
            {"name": "REFUND", "type": "number",
             "socare": {"keep": "as_is", "brackets": True, "optional": True}},
        ],
    },
    "socare": {
        "files": r"visits/(?P<period>\d{4})\.csv(\.gz)?",
        "spellings": [{"column": "COST", "also": ["PRICE"], "from": "2014", "to": "2014"}],
        "encodings": [{"encoding": "windows-1252", "from": "2013", "to": "2013"}],
    },
}  # fmt: skip
MOVES = {
    "name": "moves",
    "schema": {"primaryKey": "none", "fields": [{"name": "A", "socare": {"keep": "as_is"}}]},
    "socare": {"files": r"moves_(?P<period>\d{4})\.csv"},
}
HEADER = "ID;DAY;COST;PAID;COUNT;TEAM"


@pytest.fixture
def council(tmp_path):
    (tmp_path / "conf" / "datasets").mkdir(parents=True)
    landing = tmp_path / "landing"
    (landing / "visits").mkdir(parents=True)
    for contract in (CONTRACT, MOVES):
        path = tmp_path / "conf" / "datasets" / f"{contract['name']}.yaml"
        path.write_text(yaml.safe_dump(contract, sort_keys=False), "utf-8")
    lands(landing / "visits" / "2015.csv", HEADER, '1;01/02/2015;"£1,200.50";Y;*;x', "2;;3;N;7;é")
    lands(landing / "visits" / "2016.csv", HEADER, "1;2015-02-01;5.00;NULL;;x")
    lands(landing / "visits" / "2014.csv", HEADER.replace("COST", "PRICE"), "4;;3;N;7;x")
    header = f"{HEADER};REFUND"
    lands(landing / "visits" / "2013.csv", header, "5;;3;N;7;Café;(5.00)", encoding="cp1252")
    with gzip.open(landing / "visits" / "2017.csv.gz", "wt") as file:
        file.write(f"{HEADER}\n9;;1;N;7;x\n")
    lands(landing / "moves_2015.csv", "A", "x", "x")
    return tmp_path


def lands(path, *lines, encoding="utf-8"):
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))


def package(capsys, council):
    return onboard(
        capsys, "--package", "--landing", council / "landing", "--conf", council / "conf"
    )


def test_frictionless_accepts_the_package_and_its_files(council, capsys, monkeypatch):
    code, out, err = package(capsys, council)
    assert (code, err) == (0, "")
    assert str(council / "datapackage.json") in out
    monkeypatch.chdir(council)
    report = validate("datapackage.json")
    assert report.valid, report.flatten(["taskName", "rowNumber", "fieldName", "message"])
    resources = json.loads((council / "datapackage.json").read_text("utf-8"))["resources"]
    paths = {r["name"]: r["path"] for r in resources}
    assert paths == {
        "moves": "landing/moves_2015.csv",
        "visits": "landing/visits/2013.csv",
        "visits-2": "landing/visits/2014.csv",
        "visits-3": [f"landing/visits/{y}" for y in ("2015.csv", "2016.csv", "2017.csv.gz")],
    }
    assert {task.name: task.stats["rows"] for task in report.tasks} == {
        "moves": 2, "visits": 1, "visits-2": 1, "visits-3": 4,
    }  # fmt: skip


def test_forms_of_this_project_are_written_in_those_of_the_standard(council, capsys):
    package(capsys, council)
    resources = json.loads((council / "datapackage.json").read_text("utf-8"))["resources"]
    schemas = {r["name"]: r["schema"] for r in resources}
    assert "primaryKey" not in schemas["moves"]
    assert schemas["visits"]["primaryKey"] == ["ID"]
    fields = {f["name"]: f for f in schemas["visits"]["fields"]}
    assert fields["DAY"] == {"name": "DAY", "type": "date", "format": "any"}
    assert fields["COUNT"]["missingValues"] == [
        {"value": "*", "label": "suppressed"},
        {"value": "", "label": "unknown"},
    ]
    assert fields["TEAM"] == {"name": "TEAM", "type": "any"}
    assert fields["REFUND"]["type"] == "string"
    assert "PRICE" in {f["name"] for f in schemas["visits-2"]["fields"]}
    assert "socare" not in json.dumps(resources)


def test_frictionless_finds_a_cell_of_another_type(council, capsys, monkeypatch):
    lands(council / "landing" / "visits" / "2016.csv", HEADER, "1;2015-02-01;5.00;maybe;;x")
    package(capsys, council)
    monkeypatch.chdir(council)
    assert validate("datapackage.json").flatten(["fieldName", "type"]) == [["PAID", "type-error"]]


def test_an_existing_package_is_not_overwritten(council, capsys):
    (council / "datapackage.json").write_text("mine", "utf-8")
    code, _, err = package(capsys, council)
    assert code == 2
    assert "not overwritten" in err
    assert (council / "datapackage.json").read_text("utf-8") == "mine"


def test_files_that_cannot_be_described_are_named(council, capsys):
    (council / "landing" / "visits" / "2018.csv").write_bytes(b"")
    code, _, err = package(capsys, council)
    assert code == 3
    assert "visits/2018.csv" in err
    assert (council / "datapackage.json").exists()
