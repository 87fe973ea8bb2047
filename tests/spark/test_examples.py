"""The configurations of conf/examples, on small files of the form of the public data."""

import gzip

import geopandas as gpd
import pytest
from examples import Example
from shapely import box


@pytest.fixture
def example(spark, tmp_path, monkeypatch):
    return lambda name: Example(spark, name, tmp_path, monkeypatch)


def test_permits_are_an_event_log(example):
    permits = example("permits")
    times = ["2014-10-04T00:00:00+02:00", "2014-10-04T00:00:00+02:00", "2014-10-09T12:00:00+02:00"]
    lines = ["event,case,activity,timestamp,resource,activity_en"]
    steps = ["receive", "check", "decide"]
    for case in (7, 8):
        lines += [
            f"{case}{i},{case},0{i}_X,{time},55,{steps[i if case == 7 else -i]}"
            for i, time in enumerate(times)
        ]
    permits.lands("permits/permits_2015.csv.gz", gzip.compress("\n".join(lines).encode()))
    permits.runs("ingest", "flow")
    edges = permits.rows("working/flow_edges", "from_activity", "to_activity", "transitions")
    assert edges == [
        ("check", "decide", 1),
        ("decide", "check", 1),
        ("receive", "check", 1),
        ("receive", "decide", 1),
    ]


def test_service_requests_of_several_years_have_series_and_a_forecast(example):
    requests = example("service_requests")
    header = "REQUESTID,DESCRIPTION,GROUP,WARD,DATETIMEINIT,STATUS,SRX,SRY"
    for year in range(2008, 2013):
        lines = [
            f"{year}{month:02}{i},{kind},Streets,5,{year}-{month:02}-10 08:00:00.0,CLOSED,5.5,7"
            for month in range(1, 13)
            for kind, often in (("Light out", 3), ("Graffiti", 1))
            for i in range(often)
            if kind == "Light out" or i == 0
        ]
        lines = [line.replace(",Graffiti", "9,Graffiti", 1) for line in lines]
        requests.lands(f"requests/{year}.csv", [header, *lines])
    warnings = requests.runs("ingest", "requests", "forecast")
    # The contract says that each file has its own requests.
    assert not [text for text in warnings if "part of all records" in text]
    found = requests.rows("working/request_snapshots", "snapshot", "records")
    assert [records for _, records in found] == [48] * 5
    rows = requests.rows("working/forecast", "series", "period", "complete", "actual", "forecast")
    counted = {(series, period, n) for series, period, complete, n, _ in rows if complete}
    quarters = [f"{year}Q{quarter}" for year in range(2008, 2013) for quarter in range(1, 5)]
    often = {"Light out, records": 9, "Graffiti, records": 3}
    assert counted == {(name, at, n) for name, n in often.items() for at in quarters}
    ahead = {(series, period, round(x, 6)) for series, period, _, _, x in rows if x is not None}
    next_year = [f"2013Q{quarter}" for quarter in range(1, 5)]
    assert ahead == {(name, at, n) for name, n in often.items() for at in next_year}


def test_outcomes_and_placements_of_looked_after_children(example):
    care = example("looked_after_children")
    episodes = (
        "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,"
        "HOME_POST,PL_POST,URN"
    )
    flags = (
        "CONVICTED,HEALTH_CHECK,IMMUNISATIONS,TEETH_CHECK,HEALTH_ASSESSMENT,SUBSTANCE_MISUSE,"
        "INTERVENTION_RECEIVED,INTERVENTION_OFFERED"
    )
    care.lands("ssda903/2017-episodes.csv", [episodes, "7,09/04/2017,S,L3,N1,U4,PR1,,,,V28 5OY,,1"])
    care.lands(
        "ssda903/2018-episodes.csv",
        [
            episodes,
            "7,09/04/2017,S,L3,N1,U4,PR1,31/10/2018,E7,,V28 5OY,,1",
            "7,31/10/2018,P,L3,N1,K2,PR1,,,,V28 5OY,,1",
        ],
    )
    care.lands(
        "ssda903/2017-oc2.csv",
        [f"CHILD,DOB,SDQ_SCORE,SDQ_REASON,{flags}", "7,01/01/2005,,SDQ2,0,1,1,0,0,0,0,0"],
    )
    care.lands(
        "ssda903/2018-oc2.csv",
        [
            f"CHILD,DOB,SDQ_SCORE,SDQ_REASON,{flags}",
            "7,01/01/2005,11,,0,1,1,0,0,0,0,0",
            "8,02/02/2006,12,,1,0,0,0,0,0,0,0",
        ],
    )
    care.runs("ingest", "flow", "combinations")
    ended = care.rows("restricted/episodes", "placement", "reason_ceased")
    assert ended == [("K2", None), ("U4", "E7")]
    edges = care.rows("working/flow_edges", "from_activity", "to_activity", "people")
    assert edges == [("U4", "K2", 1)]
    days = {str(day) for (day,) in care.rows("restricted/outcomes", "return_year")}
    assert days == {"2018-03-31", "2019-03-31"}
    sets = care.rows("working/combination_sets", "combination", "records", "people")
    assert sets == [("convicted", 1, 1), ("health_check + immunisations", 2, 1)]


def test_library_transits_are_a_from_to_matrix(example):
    transits = example("library_transits")
    header = "date_transited,item_type,from_library,from_authority,to_library,to_authority"
    rows = [
        "2017-12-21,Fiction,Paulton,Bath,Frome,Somerset",
        "2017-12-21,Fiction,Paulton,Bath,Frome,Somerset",
        "2017-12-22,Fiction,Frome,Somerset,Paulton,Bath",
        "2017-12-22,Fiction,Keynsham,Bath,Paulton,Bath",
    ]
    transits.lands(
        "transits/transits_2018.csv.gz", gzip.compress("\n".join([header, *rows]).encode())
    )
    warnings = transits.runs("ingest", "flow")
    assert any("1 of 4 rows" in warning for warning in warnings)
    edges = transits.rows("working/flow_edges", "from_activity", "to_activity", "transitions")
    assert edges == [("Bath", "Bath", 1), ("Bath", "Somerset", 2), ("Somerset", "Bath", 1)]


def test_counted_people_are_summed_by_ward(example):
    population = example("ward_population")
    population.lands(
        "population/population_2022.csv",
        [
            "LAD21NM,WD21CD,WD21NM,year,fin_year,age_band,count,standard_pop",
            "City,E1,One,2021,2122,0-4,10.0,100.0",
            "City,E1,One,2021,2122,5-9,20.0,100.0",
            "City,E2,Two,2021,2122,0-4,5.0,100.0",
            "City,E9,Elsewhere,2021,2122,0-4,7.0,100.0",
        ],
    )
    geometry = [box(400000, 300000, 401000, 301000), box(401000, 300000, 402000, 301000)]
    wards = gpd.GeoDataFrame(
        {"code": ["E1", "E2"], "name": ["One", "Two"]}, geometry=geometry, crs="EPSG:27700"
    )
    (population.landing / "reference").mkdir()
    wards.to_crs("EPSG:4326").to_file(population.landing / "reference" / "wards.geojson")
    population.lands(
        "reference/postcodes/b.csv", ['"B1 1AA",10,400500,300500', '"B1 2AA",10,401500,300500']
    )
    population.runs("ingest", "places", "cross_service")
    counted = population.rows("working/requests_by_area", "code", "month", "category", "records")
    assert counted == [
        ("E1", "2021-01", "0-4", 10),
        ("E1", "2021-01", "5-9", 20),
        ("E2", "2021-01", "0-4", 5),
    ]
