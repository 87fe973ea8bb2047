"""The small twin: its truth is what two other readers count, and it is the same to the byte for a
seed.
"""

import csv
import gzip
import json
import time
from pathlib import Path

import duckdb
import geopandas as gpd
import pytest
import shapely
import yaml

from socare_spark.ingest.synthetic import MARKER, is_synthetic, marker_files
from socare_spark.twin import write_twin
from tests.study import children_recount
from tests.study import twin_recount as recount
from tests.study import use_recount as use

CONF = Path(__file__).parents[2] / "conf" / "vocabulary"
DATASETS = tuple(recount.RULES)
# At 0.02 each kind of defect occurs in each dataset that can have it.
SCALE, SMALLEST = 0.02, 0.001


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin") / "landing"
    write_twin(folder, scale=SCALE, seed=1)
    return folder


@pytest.fixture(scope="module")
def truth(landing):
    return truth_of(landing)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with the smallest twin and the files that must be refused."""
    folder = tmp_path_factory.mktemp("small")
    write_twin(folder, scale=SMALLEST, seed=1, defects="files")
    return folder


@pytest.fixture(scope="module")
def without_defects(tmp_path_factory):
    """A folder with the smallest twin of another seed, without defects."""
    folder = tmp_path_factory.mktemp("without_defects")
    write_twin(folder, scale=SMALLEST, seed=2, defects="none")
    return folder


def truth_of(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def con(landing, tmp_path_factory):
    return recount.database(landing, tmp_path_factory.mktemp("scratch"))


@pytest.mark.parametrize("dataset", DATASETS)
def test_ledger_equals_a_plain_reader(landing, truth, dataset):
    counted = recount.ledger(landing, dataset)
    figures = {
        name: file for name, file in truth["files"].items() if name.startswith(f"{dataset}/")
    }
    assert counted == {
        name: {key: file[key] for key in counted[name]} for name, file in figures.items()
    }


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_reason_occurs_and_no_file_comes_near_the_gate(truth, dataset):
    files = [file for name, file in truth["files"].items() if name.startswith(f"{dataset}/")]
    reasons = {reason for file in files for reason in file["reasons"]}
    fitting = {"row_shape", "missing", "date_format", "date_range", "pattern"}
    if dataset == "crosswalk_tenants":
        fitting = {"row_shape", "missing"}
    if dataset != "requests":
        fitting |= {"person_missing"}
    if dataset not in recount.SNAPSHOTS:
        fitting |= {"date_order"}
    if dataset not in (*recount.SNAPSHOTS, "tenancies"):
        fitting |= {"not_allowed"}
    if dataset.startswith(("agreements", "children")):
        fitting |= {"type"}
    assert reasons == fitting
    assert max(file["rows_quarantined"] / file["rows_read"] for file in files) < 0.035
    assert all(file["status"] == "kept" for file in files)
    assert sum(file["rows_duplicate"] for file in files) > 0
    several = dataset not in recount.SNAPSHOTS
    assert (sum(file["rows_superseded"] for file in files) > 0) == several


@pytest.mark.parametrize("dataset", DATASETS)
def test_kept_rows_equal_the_published_totals(con, truth, dataset):
    kept = con.execute(f"SELECT count(*) FROM {dataset}").fetchone()[0]
    figures = truth["marginals"][dataset]
    assert kept == (
        sum(s["records"] for s in figures["request_snapshots"])
        if dataset == "requests"
        else figures["records"]
    )


@pytest.mark.parametrize("dataset", ["agreements_closed", "agreements_costed", "agreements_adult"])
def test_agreements(con, truth, dataset):
    figures = truth["marginals"][dataset]
    bands = [
        (b["age_band"], b["records"], b["people"]) for b in figures["age_bands"] if b["records"]
    ]
    assert recount.age_bands(con, dataset, figures["age_bands"][-1]["age_band"]) == bands
    districts = {d for d, *_ in truth["reference"]["postcodes_by_district"]}
    assert recount.start_years(con, dataset, districts) == {
        (d, y): n for d, y, n in figures["start_years"]
    }
    if dataset != "agreements_costed":
        wards = {(w, b): (p, n) for w, b, p, n in figures["places"]["ward"]}
        assert recount.people_by_ward(con, dataset) == wards


def test_elements_as_written(con, truth):
    for dataset in ("agreements_closed", "agreements_costed"):
        figures = truth["marginals"][dataset]
        written = dict(figures["elements"])
        for text, meant, number in figures["element_variants"]:
            written[text] = written.get(text, 0) + number
            written[meant] -= number
        counted = dict(
            con.execute(f"SELECT ELEMENT, count(*) FROM {dataset} GROUP BY 1").fetchall()
        )
        assert counted == {code: number for code, number in written.items() if number}


def test_use_of_elements(con, truth):
    figures = truth["marginals"]["agreements_costed"]
    quarters = use.users_by_quarter(con, "CHIRDRT")
    assert [["CHIRDRT", *row] for row in quarters.items()] == figures["users_by_quarter"]
    for two in figures["users_between_quarters"]:
        days = [f"{two[q][:4]}-{3 * int(two[q][5]) - 2:02d}-01" for q in ("quarter_a", "quarter_b")]
        a, b, both = use.users_between_quarters(con, two["element"], *days)
        assert [two[n] for n in ("people_a", "people_b", "people_both")] == [a, b, both]
        assert [two["only_a"], two["only_b"]] == [a - both, b - both]
    districts = [d for d, *_ in truth["reference"]["postcodes_by_district"]]
    assert use.concentration(con, districts, ("OAEHSGCO", "HSSU65PL", "OAIHSENB")) == {
        (d, e): tuple(counts) for d, e, *counts in figures["element_concentration"]
    }
    assert use.regions(con) == {
        r["region"]: (r["people"], r["records"]) for r in figures["regions"]
    }
    services = {"transport": "TRAN", "day_care": "DAYC", "enablement": "ENAB"}
    for group, service in services.items():
        assert use.cost_by_year(con, service) == {
            r["year"]: (r["people"], r["records"], r["weekly_cost"])
            for r in figures["element_cost_by_year"]
            if r["element_group"] == group
        }


def test_who_provides_day_care(con, truth):
    districts = [d for d, *_ in truth["reference"]["postcodes_by_district"]]
    names = yaml.safe_load((CONF / "elements.yaml").read_text(encoding="utf-8"))["client_groups"]
    figures = truth["marginals"]["agreements_costed"]["provision_split"]
    assert figures["years"] == [2010, 2011, 2012, 2013, 2014, 2015]
    assert {(g, d, y): (i, e) for g, d, y, i, e in figures["rows"]} == {
        (names.get(c), d, y): kinds for (c, d, y), kinds in use.day_care(con, districts).items()
    }


def test_enablement_beyond_six_weeks(con, truth):
    districts = [d for d, *_ in truth["reference"]["postcodes_by_district"]]
    figures = truth["marginals"]["agreements_costed"]["threshold_use"]
    assert figures["threshold_days"] == 42
    counted = use.enablement(con, districts)
    assert {(e, d, y): tuple(numbers) for e, y, d, *numbers in figures["rows"]} == {
        cell: (*numbers, round(cost, 2)) for cell, (*numbers, cost) in counted.items()
    }
    mean = counted[None, None, None][3] / len(figures["years"])
    assert figures["mean_yearly_cost_over_of_these_years"] == round(mean, 2)


@pytest.mark.parametrize("service", ["TRAN", "DAYC"])
def test_each_client_group_has_elements_of_the_programmes(service):
    """Enablement is of the three elements of case study 10 alone."""
    words = yaml.safe_load((CONF / "elements.yaml").read_text(encoding="utf-8"))["elements"]
    groups = {w["client_group"] for w in words if w["service"] == service}
    assert groups == {"CH", "LD", "MH", "OA", "PD", "SM"}
    assert {w["code"] for w in words if w["service"] == "ENAB"} == set(use.ENABLEMENT)


def test_adult_flow(con, truth):
    figures = truth["marginals"]["adult_assessments"]
    totals, regions = recount.stages(con)
    for row in figures["stage_totals"][:4]:
        assert totals[row["stage"]] == (row["people"], row["records"])
    assert regions["AG+AS+CA+SP"] == figures["stage_completion"]["people_all_stages"]
    assert sum(regions.values()) == figures["stage_completion"]["people_any"]
    outcomes = yaml.safe_load((CONF / "outcomes.yaml").read_text(encoding="utf-8"))
    single = figures["single_stage"]
    assert recount.single_contacts(con, {o["code"]: o["category"] for o in outcomes}) == (
        single["people"],
        single["one_assessment"],
        dict(single["one_assessment_by_category"])["Proceed"],
        single["one_assessment_within_30_days"],
        single["one_assessment_within_7_days"],
    )


def test_flow_edges_by_another_engine(con, truth):
    counted = con.execute(
        """WITH event AS (
            SELECT person, first_day, split_part(QSA_GROUP, ' - ', 1) AS stage FROM
            adult_assessments UNION ALL SELECT person, first_day, 'AG' FROM agreements_adult),
        ordered AS (SELECT person, stage, first_day, lead(stage) OVER own AS after, lead(first_day)
        OVER own AS day
            FROM event WHERE stage IN ('CA', 'AS', 'SP', 'AG') WINDOW own AS (PARTITION BY person
            ORDER BY first_day, list_position(['CA', 'AS', 'SP', 'AG'], stage)))
        SELECT stage, after, count(*), median(day - first_day) FROM ordered WHERE after IS NOT NULL
        GROUP BY ALL
        """
    ).fetchall()
    figures = truth["marginals"]["adult_assessments"]["flow_edges"]
    assert sorted(counted) == sorted(
        (e["from_activity"], e["to_activity"], e["transitions"], e["median_days"]) for e in figures
    )


def test_children(con, truth):
    figures = truth["marginals"]["children_assessments"]
    expected = {
        (c["reason"], c["outcome"]): (c["people"], c["records"], c["first_used"], c["last_used"])
        for c in figures["combinations"]
    }
    assert len(expected) == 268
    assert recount.combinations(con) == expected
    assert recount.children_people(con) == (figures["people"], figures["records"])
    visits = figures["statutory_visits"]
    assert recount.children_people(con, ["STATLAC5"]) == (visits["people"], visits["records"])
    words = yaml.safe_load((CONF / "subprocesses.yaml").read_text(encoding="utf-8"))["subprocesses"]
    for total in figures["combination_totals"]:
        counted = recount.children_people(con, words[total["subprocess"]])
        assert counted == (total["people"], total["records"])


def test_children_over_time(con, truth):
    figures = truth["marginals"]["children_assessments"]
    for name in ("blocks", "renames", "periods"):
        rows = [tuple(row.values()) for row in figures[f"combination_{name}"]]
        assert getattr(children_recount, name)(con) == rows
    words = yaml.safe_load((CONF / "subprocesses.yaml").read_text(encoding="utf-8"))["subprocesses"]
    owner = {reason: name for name, reasons in words.items() for reason in reasons}
    months = children_recount.timelines(con, owner)
    assert months == sorted(map(tuple, figures["person_timelines"]["months"]))
    assert sum(people for _, _, people, _ in months) == figures["person_timelines"]["rows"]


def test_requests(con, truth):
    figures = truth["marginals"]["requests"]
    once = {s["snapshot"]: s["descriptions"] for s in figures["request_single_use"]}
    assert recount.snapshots(con) == {
        s["snapshot"]: (s["records"], s["descriptions"], once[s["snapshot"]])
        for s in figures["request_snapshots"]
    }
    assert recount.top_requests(con) == {
        (t["snapshot"], t["rank"]): (t["description"], t["records"])
        for t in figures["request_top30"]
    }


def test_people_known_to_several_services(con, truth):
    figures = truth["marginals"]["services"]
    assert recount.known_to(con) == {
        s: (people, records) for s, people, records in figures["people"]
    }
    assert len(figures["people"]) == 7
    in_all = {s: 0 for s, *_ in figures["people"]}
    for _, services, people, _ in figures["places"]["ward"]:
        in_all[services] += people
    assert in_all == {s: people for s, people, _ in figures["people"]}


def test_records_that_cannot_be_linked(con, truth):
    figures = {}
    for service, reason, records in truth["marginals"]["services"]["unlinkable"]:
        known = reason if reason.startswith("no") else "not_located"
        figures[service, known] = figures.get((service, known), 0) + records
    assert recount.unlinkable(con) == figures


def test_records_of_services_by_ward(con, truth):
    figures = {(s, w, y): n for s, w, y, n in truth["marginals"]["services"]["by_ward"]}
    assert recount.services_by_ward(con) == figures


def test_crosswalk_joins_several_to_one_and_one_to_several(con):
    often = {
        column: con.execute(
            f"""SELECT max(n) FROM (SELECT count(*) AS n FROM crosswalk_tenants
            WHERE period = '2020-02-25' GROUP BY {column})"""
        ).fetchone()[0]
        for column in ("person", "TENANT_ID")
    }
    assert min(often.values()) > 1
    equal = con.execute(
        """SELECT count(*) FROM (SELECT DISTINCT person FROM tenancies) JOIN
        (SELECT DISTINCT person FROM requests) USING (person)"""
    ).fetchone()[0]
    assert equal > 10  # equal numbers of the two systems, which are other people


def test_a_later_snapshot_mostly_repeats_the_earlier_with_the_same_content(con):
    both, before, changed = con.execute(
        """SELECT count(*) FILTER (b.RECORD_ID IS NOT NULL), count(*),
            count(*) FILTER (a.SERVICE_DESCRIPTION <> b.SERVICE_DESCRIPTION OR a.REQUEST_DATE <>
            b.REQUEST_DATE)
        FROM (SELECT * FROM requests WHERE period = '2019-02-12') a LEFT JOIN (SELECT * FROM
        requests WHERE period = '2019-08-12') b USING (RECORD_ID)
        """
    ).fetchone()
    assert both / before > 0.95
    assert changed == 0


def test_wards_hold_the_postcodes_that_the_directory_gives_them(landing, truth):
    wards = gpd.read_file(landing / "reference" / "boundaries.gpkg", layer="wards")
    assert len(wards) == 69
    assert wards.crs.to_epsg() == 27700
    assert shapely.is_valid(wards.geometry.to_numpy()).all()
    assert shapely.coverage_is_valid(wards.geometry.to_numpy())
    with open(
        landing / "reference" / "postcodes" / "codepoint.csv", newline="", encoding="utf-8"
    ) as file:
        rows = [row for row in csv.reader(file) if row[2] != "0"]
    points = gpd.GeoDataFrame(
        {"postcode": [r[0] for r in rows], "ward": [r[9] for r in rows]},
        geometry=gpd.points_from_xy([int(r[2]) for r in rows], [int(r[3]) for r in rows]),
        crs="EPSG:27700",
    )
    joined = points.sjoin(wards, predicate="covered_by", how="left")
    assert len(joined) == len(points)
    assert (joined["code"].fillna("") == joined["ward"]).all()
    assert int((joined["ward"] != "").sum()) == truth["reference"]["located"]


def test_files_with_planted_format_variations_have_them(landing):
    folder = landing / "agreements_closed"
    assert (
        (folder / "agreements_closed_2004.csv")
        .read_text()
        .startswith("Person Identifier,ADEID,Agreement Start")
    )
    with pytest.raises(UnicodeDecodeError):
        (folder / "agreements_closed_2007.csv").read_bytes().decode("utf-8")
    assert gzip.decompress((folder / "agreements_closed_2011.csv.gz").read_bytes()).startswith(
        b"ADEID,"
    )


def test_odd_but_good_cells_occur_and_count_as_the_same_person(landing, truth):
    planted = {
        kind: 0
        for kind in (
            "person spelled otherwise",
            "postcode spelled otherwise",
            "description awkward",
        )
    }
    for file in truth["files"].values():
        for kind in planted:
            planted[kind] += file["defects"].get(kind, 0)
    assert all(planted.values())
    spelled = 0
    for path in (landing / "children_assessments").iterdir():
        rows = recount.rows_of(path)
        place = next(rows).index("PERID")
        people = [row[place] for row in rows if len(row) > place]
        plain = [recount.person_of(text) for text in people]
        spelled += sum(
            a not in (b, recount.NULL_PERSON) and b != a for a, b in zip(plain, people, strict=True)
        )
    assert spelled


def test_another_seed_gives_others_in_the_same_published_numbers(small, without_defects):
    one, other = truth_of(small), truth_of(without_defects)
    name = "reference/postcodes/codepoint.csv"
    assert one["manifest"][name] != other["manifest"][name]
    one, other = (t["marginals"]["agreements_closed"] for t in (one, other))
    assert one["start_years"] != other["start_years"]
    assert one["age_bands"][0]["records"] == other["age_bands"][0]["records"] == 10


def test_manifest_names_every_file(landing, truth):
    present = {str(p.relative_to(landing)) for p in landing.rglob("*") if p.is_file()}
    assert present - {"truth.json", MARKER} == set(truth["manifest"])


def test_ingest_recognises_the_twin_by_its_marker(landing):
    assert is_synthetic(landing)
    assert marker_files(landing) == {"truth.json", MARKER}


def test_existing_twin_is_not_rewritten(landing):
    said = []
    before = (landing / "truth.json").stat().st_mtime_ns
    write_twin(landing, scale=SCALE, seed=1, progress=said.append)
    assert said == ["the twin is there already"]
    assert (landing / "truth.json").stat().st_mtime_ns == before


def test_a_twin_without_its_marker_is_written_again_to_the_same_bytes(small):
    def files():
        return {p: p.read_bytes() for p in small.rglob("*") if p.is_file()}

    before, began = files(), time.time_ns()
    (small / MARKER).unlink()
    write_twin(small, scale=SMALLEST, seed=1, defects="files")
    assert files() == before
    assert all(path.stat().st_mtime_ns >= began for path in before)
    assert is_synthetic(small)


def test_without_defects_every_row_is_kept(without_defects):
    truth = truth_of(without_defects)
    assert all(file["rows_read"] == file["rows_kept"] for file in truth["files"].values())
    assert all(not file["defects"] for file in truth["files"].values())
    for dataset in DATASETS:
        counted = recount.ledger(without_defects, dataset)
        assert {n: c["rows_kept"] for n, c in counted.items()} == {
            n: f["rows_kept"] for n, f in truth["files"].items() if n in counted
        }


def test_files_that_must_be_refused(small):
    truth = truth_of(small)
    refused = {
        name: file["why"] for name, file in truth["files"].items() if file["status"] == "refused"
    }
    assert set(refused.values()) == {
        "column_missing", "column_doubled", "empty", "header_absent", "encoding", "gzip_cut_short",
        "gate",
    }  # fmt: skip
    for name, why in refused.items():
        path = small / name
        if why == "gzip_cut_short":
            with pytest.raises(EOFError):
                gzip.decompress(path.read_bytes())
        if why == "encoding":
            with pytest.raises(UnicodeDecodeError):
                path.read_bytes().decode("utf-8")
        if why == "gate":
            spoilt = duckdb.sql(f"SELECT avg((GENDER = 'X')::INT) FROM read_csv('{path}')")
            assert spoilt.fetchall()[0][0] > 0.05


def test_smallest_scale_is_written(small):
    assert len(truth_of(small)["marginals"]["children_assessments"]["combinations"]) == 268
