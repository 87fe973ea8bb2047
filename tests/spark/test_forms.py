"""Extracts of other forms than plain CSV, from the landing folder to the restricted table."""

import datetime

import geopandas as gpd
import pytest
import yaml
from council import Council
from openpyxl import Workbook
from shapely import box

from socare_spark.places.job import JOB as PLACES

UTC = datetime.UTC


def keep(name, **keys):
    ours = {"keep": "as_is"} if "drop" not in keys else {}
    ours |= {k: keys.pop(k) for k in ("zone", "day", "drop", "as") if k in keys}
    return {"name": name, "socare": ours, **keys}


def visits(council, fields, ending="csv", **keys):
    """Gives the council a contract of events without a key."""
    name = keys.pop("name", "visits")
    ours = {"files": rf"visits/(?P<period>\d{{4}})(_\w+)?\.{ending}", "gate": 0.9}
    ours |= keys.pop("socare", {})
    council.contract = {
        "name": name,
        "schema": {"primaryKey": "none", "fields": fields},
        "socare": ours,
        **keys,
    }


def test_workbook_has_ledger_quarantine_and_rejected_lines(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    visits(
        council,
        [
            keep("ID", constraints={"required": True}),
            keep("DAY", type="date", format="%d/%m/%Y"),
            keep("COST", type="number"),
        ],
        ending="xlsx",
        format="xlsx",
        dialect={"headerRows": [3]},
    )
    book = Workbook()
    for row in (
        ["Visits of 2015"],
        [],
        ["ID", "DAY", "COST"],
        [7, datetime.date(2015, 6, 1), 12.5],
        ["=x", "31/02/2015", 3],
        [],
        ["008", "02/06/2015", "#N/A"],
        ["9", "03/06/2015", 1],
    ):
        book.active.append(row)
    book.active["A5"].data_type = "s"
    book.active["C7"].data_type = "e"
    book.save(council.landing / "visits" / "2015.xlsx")
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "day", "cost", "line") == [
        ("7", datetime.date(2015, 6, 1), pytest.approx(12.5), 1),
        ("9", datetime.date(2015, 6, 3), pytest.approx(1), 4),
    ]
    assert council.ledger() == {"2015.xlsx": ("accepted", 4, 2, 2, 0, 0)}
    quarantine = council.rows("line", "reasons", "columns", table="restricted/quarantine")
    assert quarantine == [(2, ["date_format"], ["DAY"]), (3, ["type"], ["COST"])]
    rejected = tmp_path / "rejected" / "visits" / "2015.xlsx.visits.rejected.csv"
    assert rejected.read_text().splitlines() == [
        "line,reasons,ID,DAY,COST",
        "2,date_format:DAY,=x,31/02/2015,3",
        "3,type:COST,008,02/06/2015,#N/A",
    ]
    assert not (council.lake.storage.root / "restricted" / "_stage").exists()
    assert council.ingests(monkeypatch) == ""
    assert council.run.landing == {"visits/2015.xlsx": "unchanged"}


def test_xml_and_dialects_are_read_like_csv(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    fields = [keep("ID"), keep("NOTE")]
    visits(council, fields, dialect={"header": False, "quoteChar": "'"})
    (council.landing / "visits" / "2015.csv").write_text("1,'a,b'\n2,'it''s\nlong'\n3\n")
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "note", "line") == [("1", "a,b", 1), ("2", "it's\nlong", 2)]
    assert council.ledger() == {"2015.csv": ("accepted", 3, 2, 1, 0, 0)}


def test_xml_is_read_like_csv(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    fields = [keep("ID", constraints={"required": True}), keep("NOTE")]
    visits(council, fields, "xml", format="xml", socare={"xml": {"record": "All/Visit"}})
    (council.landing / "visits" / "2016.xml").write_text(
        "<All><Visit><ID>4</ID><NOTE>x</NOTE></Visit><Visit><NOTE>y</NOTE><ID/></Visit></All>"
    )
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "note", "line") == [("4", "x", 1)]
    assert council.ledger() == {"2016.xml": ("accepted", 2, 1, 1, 0, 0)}
    rejected = tmp_path / "rejected" / "visits" / "2016.xml.visits.rejected.csv"
    assert rejected.read_text().splitlines() == ["line,reasons,ID,NOTE", "2,missing:ID,,y"]
    (council.landing / "visits" / "2017.xml").write_text("<All><Visit><NOTE/></Visit></All>")
    assert "lacks the column ID" in council.ingests(monkeypatch)


def test_local_times_are_converted_and_ambiguous_ones_are_quarantined(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    london = keep(
        "AT", type="datetime", zone="Europe/London", day="on", alsoFormats=["%Y-%m-%dT%H:%M:%S%z"]
    )
    visits(council, [keep("ID"), london])
    times = {
        "winter": ("2015-01-10T00:30:00", datetime.datetime(2015, 1, 10, 0, 30)),
        "summer": ("2015-06-01T00:30:00", datetime.datetime(2015, 5, 31, 23, 30)),
        "offset": ("2015-06-01T00:30:00+02:00", datetime.datetime(2015, 5, 31, 22, 30)),
        "before": ("2015-03-29T00:59:59", datetime.datetime(2015, 3, 29, 0, 59, 59)),
        "never": ("2015-03-29T01:30:00", None),
        "after": ("2015-03-29T02:00:00", datetime.datetime(2015, 3, 29, 1, 0)),
        "once": ("2015-10-25T00:59:59", datetime.datetime(2015, 10, 24, 23, 59, 59)),
        "twice": ("2015-10-25T01:00:00", None),
        "twice2": ("2015-10-25T01:59:59", None),
        "later": ("2015-10-25T02:00:00", datetime.datetime(2015, 10, 25, 2, 0)),
        "exact": ("2015-10-25T01:30:00Z", datetime.datetime(2015, 10, 25, 1, 30)),
        "wrong": ("2015-10-25 soon", None),
    }
    text = "".join(f"{name},{time}\n" for name, (time, _) in times.items())
    (council.landing / "visits" / "2015.csv").write_text("ID,AT\n" + text)
    assert council.ingests(monkeypatch) == ""
    frame = council.lake.read(spark, "restricted/visits")
    stored = frame.selectExpr("id", "string(at)", "string(on)").collect()
    found = {name: time for name, time, _ in stored}
    assert found == {name: moment.isoformat(" ") for name, (_, moment) in times.items() if moment}
    days = {name: day for name, _, day in stored}
    assert days["summer"] == "2015-06-01" and days["offset"] == "2015-05-31"
    reasons = council.rows("line", "reasons", table="restricted/quarantine")
    assert [codes for _, codes in sorted(reasons)] == [["ambiguous_time"]] * 3 + [["date_format"]]


def test_times_with_offsets_have_the_day_of_their_zone(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    offsets = keep(
        "AT", type="datetime", zone="Europe/London", day="on", format="%Y-%m-%dT%H:%M:%S%z"
    )
    visits(council, [keep("ID"), offsets])
    text = "ID,AT\n1,2015-06-01T00:00:00+01:00\n2,2015-06-01 soon\n"
    (council.landing / "visits" / "2015.csv").write_text(text)
    assert council.ingests(monkeypatch) == ""
    stored = council.lake.read(spark, "restricted/visits").selectExpr("string(at)", "string(on)")
    assert [tuple(row) for row in stored.collect()] == [("2015-05-31 23:00:00", "2015-06-01")]
    assert council.rows("reasons", table="restricted/quarantine") == [(["date_format"],)]


def test_days_of_local_times_are_those_of_their_zone(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    fields = [
        keep("ID"),
        {
            "name": "BORN",
            "type": "date",
            "socare": {"drop": True, "age": {"at": "AT", "as": "age"}},
        },
        keep("AT", type="datetime", zone="Europe/Berlin"),
        {
            "name": "MONTH",
            "type": "datetime",
            "socare": {"degrade": "month", "zone": "Europe/Berlin"},
        },
        {
            "name": "ENDED",
            "type": "datetime",
            "constraints": {"minimum": "2015-06-01T00:00:00"},
            "socare": {"keep": "as_is", "zone": "Europe/Berlin", "open_ended": ["9999-12-31"]},
        },
    ]
    order = [{"first": "BORN", "then": "AT"}]
    visits(council, fields, socare={"date_order": order, "not_after_extract": ["AT"]})
    midnight = "2015-06-01T00:30:00"
    rows = [
        f"18,1997-06-01,{midnight},{midnight},9999-12-31T00:00:00",
        f"0,2015-06-01,{midnight},{midnight},{midnight}",
        f"after,2015-06-01,2016-01-01T00:30:00,{midnight},{midnight}",
    ]
    (council.landing / "visits" / "2015.csv").write_text(
        "\n".join(["ID,BORN,AT,MONTH,ENDED", *rows, ""])
    )
    assert council.ingests(monkeypatch) == ""
    june = datetime.date(2015, 6, 1)
    found = council.rows("id", "age", "month", "ended")
    assert sorted(found)[1] == ("18", 18, june, None)
    assert sorted(found)[0][:3] == ("0", 0, june)
    quarantine = council.rows("line", "reasons", "columns", table="restricted/quarantine")
    assert quarantine == [(3, ["date_range"], ["AT"])]


WARDS = {"W1": box(400000, 300000, 401000, 301000), "W2": box(401000, 300000, 402000, 301000)}
LAYERS = {
    "ward": {"kind": "file", "file": "w.gpkg", "table": "wards", "code": "code"},
    "city": {"kind": "dissolve", "layer": "ward", "code": "C", "name": "City"},
    "district": {"kind": "postcode", "level": "district"},
}
# Dataset -> its place and the cells A and B of its records.
PLACED = {
    "wards": ({"area": "A", "layer": "ward"}, ["w1,", "W2,", "W9,", ",", "W1,"]),
    "metres": (
        {"x": "A", "y": "B", "crs": "EPSG:27700"},
        ["400500.5,300500", "401500,300500.25", "900000,300000", "0,0", "400500.5,300500", "5,"],
    ),
    "degrees": (
        {"x": "A", "y": "B", "crs": "EPSG:4326"},
        [
            "-1.99410,52.60232",
            "-1.97934,52.60232",
            "9.5,52.1",
            ",",
            "-1.99410,52.60232",
            "x,52",
            "99999999999999,52",
            "190,52",
        ],
    ),
}


def test_places_by_area_code_and_by_coordinates(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    fields = [keep("ID"), keep("A", drop=True), keep("B", drop=True)]
    for name, (place, cells) in PLACED.items():
        files = rf"visits/{name}_(?P<period>\d{{4}})\.csv"
        visits(council, fields, socare={"place": place, "files": files}, name=name)
        council.context()
        lines = [f"{i},{row}" for i, row in enumerate(cells)]
        path = council.landing / "visits" / f"{name}_2015.csv"
        path.write_text("\n".join(["ID,A,B", *lines, ""]))
    (council.conf / "places.yaml").write_text(
        yaml.safe_dump(
            {
                "postcodes": [{"name": "cp", "layout": "codepoint", "files": ["cp.csv"]}],
                "layers": LAYERS,
                "bounds": "city",
                "population": [],
            }
        )
    )
    geometry = {"code": [*WARDS], "geometry": [*WARDS.values()]}
    gpd.GeoDataFrame(geometry, crs="EPSG:27700").to_file(council.landing / "w.gpkg", layer="wards")
    (council.landing / "cp.csv").write_text(
        '"B1 1AA",10,400400,300500\n"B2 1AA",10,401200,300500\n'
    )
    assert council.ingests(monkeypatch) == ""
    quarantine = council.rows("file", "reasons", "columns", table="restricted/quarantine")
    assert quarantine == [
        ("visits/degrees_2015.csv", ["type"], ["A"]),
        ("visits/degrees_2015.csv", ["type"], ["A"]),
        ("visits/metres_2015.csv", ["missing"], ["B"]),
    ]
    context = council.context()
    PLACES.run(context)
    columns = ("place", "layer", "code", "rule")
    areas = {
        (place, layer): (code, rule)
        for place, layer, code, rule in council.rows(*columns, table="restricted/place_areas")
    }
    assert len(areas) == 3 * 3 * 3 + 3
    beyond = [area for (place, _), area in areas.items() if place.startswith("EPSG:4326 190")]
    assert beyond == [(None, "unlocated")] * 3
    for name in PLACED:
        places = dict(council.rows("id", "place", table=f"restricted/{name}"))
        assert places["3"] is None
        assert places["0"] == places["4"]
        found = [{layer: areas[places[i], layer] for layer in LAYERS} for i in "012"]
        # By hand: the districts are divided at 400800, within W1.
        district = ("B1", "inside") if name != "wards" else (None, "outside")
        assert found[0] == {"ward": ("W1", "inside"), "city": ("C", "inside"), "district": district}
        assert found[1] == {
            "ward": ("W2", "inside"),
            "city": ("C", "inside"),
            "district": ("B2", "inside"),
        }
        nowhere = (None, "unlocated" if name == "wards" else "outside")
        assert {*found[2].values()} == {nowhere}
    warnings = " ".join(context.run.warnings)
    assert "2 of 10 places in the records have an area code" in warnings
    assert "2 of 10 places in the records are in no area" in warnings
    PLACES.run(again := council.context())
    assert again.run.up_to_date
