"""The configurations of conf/examples on the public data whose form they describe."""

import pytest
from examples import Example

SOCIAL_CARE = "socialcare/ssda903_multiyear"


@pytest.fixture
def example(spark_session, tmp_path, monkeypatch):
    return lambda name: Example(spark_session, name, tmp_path, monkeypatch)


def test_permits_of_a_municipality(example, public_data):
    permits = example("permits")
    log = public_data / "eventlogs" / "bpic15" / "bpic15_3.csv.gz"
    permits.lands("permits/permits_2015.csv.gz", log.read_bytes())
    permits.runs("ingest", "flow")
    (events,) = permits.rows("restricted/ledger", "rows_kept")
    assert events == (59_681,)
    edges = permits.rows("working/flow_edges", "from_activity", "transitions")
    # Every event but the first of each case ends a transition.
    assert sum(count for _, count in edges) == 59_681 - 1_409
    assert len(edges) <= 201
    assert len(permits.rows("working/flow_variants", "*")) <= 201
    assert len(permits.rows("working/flow_durations", "*")) < 20_000


def test_requests_of_five_years(example, public_data):
    requests = example("service_requests")
    for year in range(2008, 2013):
        source = public_data / "requests" / "stlouis_csb" / f"{year}.csv"
        requests.lands(f"requests/{year}.csv", source.read_bytes())
    requests.runs("ingest", "requests", "forecast")
    rows = requests.rows("restricted/ledger", "rows_read", "rows_kept", "rows_quarantined")
    assert sorted(row[0] for row in rows) == [40, 802, 1_545, 2_083, 3_915]
    assert sum(row[2] for row in rows) == 0
    # The identifiers of the requests, each once.
    assert len(requests.rows("restricted/requests", "requestid")) == 7_960
    assert requests.rows("working/forecast", "*")


def test_returns_of_looked_after_children(example, public_data):
    care = example("looked_after_children")
    for source in sorted((public_data / SOCIAL_CARE).glob("*.csv")):
        care.lands(f"ssda903/{source.name}", source.read_bytes())
    care.runs("ingest", "flow", "combinations")
    assert len(care.rows("restricted/episodes", "person")) == 2_827
    assert len(care.rows("restricted/outcomes", "person")) == 1_974
    sets = care.rows("working/combination_sets", "records")
    assert sum(records for (records,) in sets) == 1_974


def test_items_between_libraries(example, public_data):
    transits = example("library_transits")
    source = public_data / "flows" / "libraries_west" / "transits.csv.gz"
    transits.lands("transits/transits_2018.csv.gz", source.read_bytes())
    warnings = transits.runs("ingest", "flow")
    assert any("8953 of 37615 rows" in warning.replace(",", "") for warning in warnings)
    edges = transits.rows("working/flow_edges", "transitions")
    assert sum(count for (count,) in edges) == 37_615


def test_population_of_wards(example, public_data):
    population = example("ward_population")
    source = public_data / "population" / "ward21_pop_2011_2022_wm.csv"
    header, *lines = source.read_text("utf-8-sig").splitlines()
    # The rows of ten more years would be read in the same way.
    recent = [line for line in lines if line.rsplit(",", 5)[1] in ("2021", "2022")]
    population.lands("population/population_2022.csv", [header, *recent])
    folder = public_data / "postcodes" / "cpo2025"
    population.lands("reference/postcodes/b.csv", (folder / "b.csv").read_bytes())
    wards = public_data / "boundaries" / "bsol" / "wards_2018_bsol.geojson"
    text = wards.read_text().replace('"WardCode"', '"code"').replace('"Ward"', '"name"')
    population.lands("reference/wards.geojson", text.encode())
    population.runs("ingest", "places", "cross_service")
    cells = population.rows("working/requests_by_area", "code", "month", "records")
    of_2022 = sum(
        n for code, month, n in cells if month == "2022-01" and code.startswith("E050111")
    )
    expected = 0
    for line in recent:
        cells_of_line = line.rsplit(",", 5)
        if cells_of_line[1] == "2022" and ",E050111" in line:
            expected += round(float(cells_of_line[4]))
    assert of_2022 == expected > 1_000_000
