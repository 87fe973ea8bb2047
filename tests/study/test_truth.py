"""Every table against what the twin's construction says it must hold, row by row."""

import json
from collections import Counter

import pytest

COUNTS = ("rows_read", "rows_kept", "rows_quarantined", "rows_duplicate", "rows_superseded")
AGREEMENTS = ("agreements_closed", "agreements_costed", "agreements_adult")


def table(study, name, *columns):
    """Rows of a table as a set of tuples, numbers as Python's."""
    frame = study.frame(name)[list(columns)]
    rows = frame.astype(object).where(frame.notna(), None)
    return sorted(map(tuple, rows.to_numpy().tolist()), key=str)


def test_the_ledger_agrees_to_the_row(study):
    ledger = study.frame("restricted/ledger")
    found = {r["file"]: tuple(r[c] for c in COUNTS) for _, r in ledger.iterrows()}
    kept = {n: f for n, f in study.truth["files"].items() if f["status"] != "refused"}
    assert found == {name: tuple(f[c] for c in COUNTS) for name, f in kept.items()}


def test_reasons_agree_to_the_row(study):
    quarantine = study.frame("restricted/quarantine")
    found = Counter()
    for file, reasons in zip(quarantine["file"], quarantine["reasons"], strict=True):
        found.update((file, reason) for reason in set(reasons))
    expected = Counter()
    for name, file in study.truth["files"].items():
        expected.update({(name, reason): n for reason, n in file["reasons"].items()})
    assert found == +expected


@pytest.mark.parametrize(
    "dataset",
    [
        *AGREEMENTS,
        "adult_assessments",
        "children_assessments",
        "requests",
        "tenancies",
        "crosswalk_tenants",
    ],
)
def test_the_ledger_adds_up_to_the_tables(study, dataset):
    ((rows,),) = study.query(f"select count(*) from {{restricted/{dataset}}}")
    ((kept,),) = study.query(
        f"select sum(rows_kept) from {{restricted/ledger}} where dataset = '{dataset}'"
    )
    assert rows == kept
    if "people" in study.marginals[dataset]:
        ((people,),) = study.query(f"select count(distinct person) from {{restricted/{dataset}}}")
        assert people == study.marginals[dataset]["people"]


@pytest.mark.parametrize("dataset", AGREEMENTS)
def test_dataset_totals(study, dataset):
    found = {
        band: (people, records)
        for name, band, people, records in table(
            study, "working/dataset_totals", "dataset", "age_band", "people", "records"
        )
        if name == dataset
    }
    truth = study.marginals[dataset]
    expected = {b["age_band"]: (b["people"], b["records"]) for b in truth["age_bands"]}
    expected[None] = (truth["people"], truth["records"])
    assert found == {band: n for band, n in expected.items() if n[1]}


def test_provision_matrix(study):
    found = table(study, "working/provision_matrix", "district", "year", "records")
    expected = [
        (district, year, records)
        for district, year, records in study.marginals["agreements_closed"]["start_years"]
        if district not in (None, "outside") and 2001 <= year <= 2015 and records
    ]
    assert [r for r in found if r[2]] == sorted(expected, key=str)


def test_dense_window(study):
    found = {r[0]: r[1:3] for r in table(
        study, "working/dense_window", "dataset", "first_year", "last_year")}  # fmt: skip
    assert found["agreements_closed"] == (2009, 2015)


@pytest.mark.parametrize("layer", ["city", "ward", "district", "sector"])
def test_density(study, layer):
    found = {
        (code, band): (people, records)
        for kind, code, band, people, records in table(
            study, "working/density", "layer", "code", "age_band", "people", "records"
        )
        if kind == layer and records
    }
    rows = study.marginals["agreements_closed"]["places"][layer]
    assert found == {(code, band): (people, records) for code, band, people, records in rows}


def test_stage_totals(study):
    found = table(study, "working/stage_totals", "stage", "people", "records")
    truth = study.marginals["adult_assessments"]["stage_totals"]
    assert found == sorted(((s["stage"], s["people"], s["records"]) for s in truth), key=str)


def test_stage_continuity(study):
    names = ("stage", "previous", "people_without_previous", "people_either", "share")
    truth = study.marginals["adult_assessments"]["stage_continuity"]
    assert table(study, "working/stage_continuity", *names) == sorted(
        (tuple(s[n] for n in names) for s in truth), key=str
    )


def test_stage_completion(study):
    names = ("people_all_stages", "people_any", "share_any", "share_last")
    found = study.frame("working/stage_completion")
    last = found[found["stage"] == "AG"].iloc[0]
    truth = study.marginals["adult_assessments"]["stage_completion"]
    assert [last[n] for n in names] == [truth[n] for n in names]


def test_flow_edges(study):
    names = ("from_activity", "to_activity", "transitions", "median_days")
    truth = study.marginals["adult_assessments"]["flow_edges"]
    assert table(study, "working/flow_edges", *names) == sorted(
        (tuple(e[n] for n in names) for e in truth), key=str
    )


def test_single_stage(study):
    frame = study.frame("working/single_stage")
    truth = study.marginals["adult_assessments"]["single_stage"]
    assert set(frame["stage"]) == {truth["stage"]}

    def by(measure):
        some = frame[frame["measure"] == measure]
        return dict(zip(some["value"], some["people"], strict=True))

    assert by("assessments") == {str(n): p for n, p in truth["people_by_assessments"]}
    assert by("outcome_category") == dict(truth["one_assessment_by_category"])
    lengths = {int(days): people for days, people in by("length_days").items()}
    assert sum(lengths.values()) == truth["one_assessment"]
    for days in (7, 30):
        within = sum(people for length, people in lengths.items() if length <= days)
        assert within == truth[f"one_assessment_within_{days}_days"]
    assert frame.loc[frame["measure"] == "ward", "people"].sum() == truth["one_assessment"]


def test_flow_durations_begin_with_everybody_in_the_stage(study):
    frame = study.frame("working/flow_durations")
    people = {s["stage"]: s["people"] for s in study.marginals["adult_assessments"]["stage_totals"]}
    assert set(frame["transition"]) == {"CA > AS", "AS > SP", "SP > AG"}
    for transition, some in frame.groupby("transition"):
        first = people[transition.split(" > ")[0]]
        assert some["at_risk"].max() == some["people"].sum() == first
        assert some.sort_values("days")["cumulative_incidence"].is_monotonic_increasing


def test_flow_rework(study):
    found = table(study, "working/flow_rework", "activity", "people", "records", "repeats")
    truth = study.marginals["adult_assessments"]["stage_totals"]
    assert found == sorted(
        (s["stage"], s["people"], s["records"], s["records"] - s["people"])
        for s in truth
        if s["stage"] != "assessed"
    )


def test_flow_starts_ends(study):
    truth = study.marginals["adult_assessments"]["flow_starts_ends"]
    assert table(study, "working/flow_starts_ends", "kind", "activity", "people") == sorted(
        ((e["kind"], e["activity"], e["people"]) for e in truth), key=str
    )


def test_flow_variants(study):
    truth = study.marginals["adult_assessments"]["flow_variants"]
    frame = study.frame("working/flow_variants")
    assert (len(frame), frame["people"].sum()) == (truth["variants"], truth["people"])
    found = dict(zip(frame["variant"], frame["people"], strict=True))
    for way in truth["commonest"]:
        assert found[" > ".join(way["variant"])] == way["people"]


def test_combinations(study):
    names = ("subprocess", "reason", "outcome", "people", "records", "first_used", "last_used")
    found = table(study, "working/combinations", *names)
    truth = study.marginals["children_assessments"]["combinations"]
    assert len(found) == 268
    assert [tuple(map(str, row)) for row in found] == sorted(
        (tuple(str(c[n]) for n in names) for c in truth), key=str
    )


def test_combination_bands(study):
    truth = study.marginals["children_assessments"]["combination_bands"]
    found = dict(table(study, "working/combination_bands", "band", "combinations"))
    assert found == {b["band"]: b["combinations"] for b in truth if b["combinations"]}


def test_combination_totals(study):
    found = [
        (name, people, records)
        for name, reason, people, records in table(
            study, "working/combination_totals", "subprocess", "reason", "people", "records"
        )
        if reason is None
    ]
    truth = study.marginals["children_assessments"]["combination_totals"]
    assert found == sorted(((t["subprocess"], t["people"], t["records"]) for t in truth), key=str)


def test_statutory_visits(study):
    rows = table(study, "working/combination_totals", "reason", "people", "records")
    truth = study.marginals["children_assessments"]["statutory_visits"]
    assert ("STATLAC5", truth["people"], truth["records"]) in rows


def test_subprocess_extremes(study):
    names = ("subprocess", "kind", "rank", "reason", "outcome", "people", "records")
    truth = study.marginals["children_assessments"]["subprocess_extremes"]
    assert table(study, "working/subprocess_extremes", *names) == sorted(
        (tuple(e[n] for n in names) for e in truth), key=str
    )


def texts(rows):
    """Rows with their dates as texts, sorted."""
    return sorted((tuple(None if v is None else str(v) for v in row) for row in rows), key=str)


@pytest.mark.parametrize("name", ["blocks", "renames", "periods"])
def test_combinations_over_time(study, name):
    truth = study.marginals["children_assessments"][f"combination_{name}"]
    assert len(truth) > 4
    found = study.query(f"SELECT {', '.join(truth[0])} FROM {{working/combination_{name}}}")
    assert texts(found) == texts(row.values() for row in truth)


def test_combination_renames_are_alike(study):
    frame = study.frame("working/combination_renames")
    assert frame["similarity"].between(0.75, 1).all()
    alike = {(r.reason_a, r.reason_b): r.similarity for r in frame.itertuples()}
    assert alike["S47_01", "S47_02"] == alike["IFSTR_01", "FSTR02"] == 1


def test_person_timelines(study):
    truth = study.marginals["children_assessments"]["person_timelines"]
    found = study.query(
        """SELECT subprocess, period, count(*), sum(instances)::BIGINT
        FROM {restricted/person_timelines} GROUP BY ALL"""
    )
    assert texts(found) == texts(truth["months"])
    ((rows, cells, people, strangers),) = study.query(
        """SELECT count(*), count(DISTINCT (person, subprocess, period)), count(DISTINCT person),
            count(*) FILTER (person NOT IN (SELECT person FROM {restricted/people}))
        FROM {restricted/person_timelines}"""
    )
    assert rows == cells == truth["rows"]
    assert people == study.marginals["children_assessments"]["people"]
    assert strangers == 0  # nothing but pseudonyms names a person


def test_person_timelines_of_the_busiest_hold_all_that_is_recorded_of_them(study):
    """The people of figure 47."""
    busiest = """SELECT person, count(*)::BIGINT AS n, count(DISTINCT (assessment_reason,
            form_outcome)) AS combinations FROM {restricted/children_assessments}
        GROUP BY person ORDER BY combinations DESC, person LIMIT 5"""
    timeline = (
        "SELECT person, sum(instances)::BIGINT AS n FROM {restricted/person_timelines} GROUP BY 1"
    )
    found = study.query(f"SELECT b.n, t.n FROM ({busiest}) b JOIN ({timeline}) t USING (person)")
    assert len(found) == 5
    assert all(recorded == told for recorded, told in found)


def test_request_snapshots(study):
    found = table(study, "working/request_snapshots", "snapshot", "records", "descriptions")
    truth = study.marginals["requests"]["request_snapshots"]
    assert [(str(s)[:10], r, d) for s, r, d in found] == [
        (t["snapshot"], t["records"], t["descriptions"]) for t in truth
    ]


def test_request_top(study):
    names = ("rank", "description", "records", "rank_change", "records_change")
    found = table(study, "working/request_top", "snapshot", *names)
    truth = study.marginals["requests"]["request_top30"]
    assert [(str(s)[:10], *rest) for s, *rest in found] == sorted(
        ((t["snapshot"], *(t[n] for n in names)) for t in truth), key=str
    )


def test_request_single_use(study):
    found = table(study, "working/request_single_use", "snapshot", "description", "records")
    for truth in study.marginals["requests"]["request_single_use"]:
        once = [d for s, d, _ in found if str(s)[:10] == truth["snapshot"]]
        assert len(once) == truth["descriptions"]
        assert sorted(d for d in once if "wheelie" in d.lower()) == truth["wheelie"]


def test_request_variants(study):
    frame = study.frame("working/request_variants")
    group = dict(zip(frame["description"], frame["variant_group"], strict=True))
    pairs = study.marginals["requests"]["request_variants"]
    assert len(pairs) > 10
    assert [(a, b) for a, b in pairs if group.get(a, a) != group.get(b, b)] == []
    most = frame.sort_values(["records", "description"], ascending=[False, True])
    canonical = most.groupby("variant_group")["description"].first()
    assert (frame["variant_group"].map(canonical) == frame["canonical"]).all()


def test_element_comparison(study):
    found = table(study, "working/element_comparison", "district", "count_a", "count_b")
    counts = {(d, e): n for d, e, n in study.marginals["agreements_costed"]["element_comparison"]}
    city = {d for d, _ in counts} - {None, "outside"}
    assert {d for d, *_ in found} >= city
    assert [r for r in found if r[1] or r[2]] == sorted(
        (d, counts.get((d, "OAEHSGCO"), 0), counts.get((d, "HSSU65PL"), 0)) for d in city
    )
    profile = study.frame("working/element_profile")
    whole = dict(study.marginals["agreements_costed"]["elements"])
    for (element, _), some in profile.groupby(["element", "characteristic"]):
        assert some["records"].sum() == whole[element]


def test_element_concentration(study):
    rows = table(study, "working/element_concentration", "district", "element", "records", "share")
    truth = study.marginals["agreements_costed"]["element_concentration"]
    assert rows == sorted(((d, e, n, n / whole) for d, e, n, whole in truth), key=str)


def test_element_variants(study):
    frame = study.frame("working/element_variants")
    found = dict(zip(frame["element"], frame["records"], strict=True))
    written = Counter()
    for code, _, records in study.marginals["agreements_costed"]["element_variants"]:
        written[code] += records
    assert found == dict(written)
    assert not frame["mended"].any()


def test_users_by_quarter(study):
    found = table(study, "working/users_by_quarter", "element", "quarter", "people")
    truth = study.marginals["agreements_costed"]["users_by_quarter"]
    told = {element for element, _, _ in truth}
    assert [row for row in found if row[0] in told] == sorted(map(tuple, truth), key=str)


def test_users_between_quarters(study):
    dims = ("element", "quarter_a", "quarter_b")
    measures = ("people_a", "people_b", "people_both", "only_a", "only_b")
    rows = table(study, "working/users_between_quarters", *dims, *measures)
    found = {row[:3]: row[3:] for row in rows}
    for told in study.marginals["agreements_costed"]["users_between_quarters"]:
        assert found[tuple(told[d] for d in dims)] == tuple(told[m] for m in measures)


def test_element_cost_by_year(study):
    names = ("element_group", "year", "people", "records", "weekly_cost")
    rows = table(study, "working/element_cost_by_year", *names)
    found = {row[:2]: (*row[2:4], float(row[4])) for row in rows}
    truth = study.marginals["agreements_costed"]["element_cost_by_year"]
    assert found == {
        (t["element_group"], t["year"]): (t["people"], t["records"], t["weekly_cost"])
        for t in truth
    }


def test_provision_split(study):
    dims = ("client_group", "district", "year")
    rows = table(study, "working/provision_split", *dims, "internal", "external", "share_internal")
    found = {row[:3]: row[3:] for row in rows if row[3] or row[4]}
    truth = study.marginals["agreements_costed"]["provision_split"]["rows"]
    assert found == {(g, d, y): (i, e, i / (i + e)) for g, d, y, i, e in truth}


def test_districts_planted_with_another_split_are_flagged(study):
    if study.truth["scale"] < 0.5:
        pytest.skip("so small a city has too few records in a district")
    rows = table(study, "working/provision_split", "client_group", "district", "year", "flag")
    flags = {district: flag for group, district, year, flag in rows if group is None is year}
    planted = study.marginals["agreements_costed"]["provision_split"]["anomalous_districts"]
    assert {district: flags[district] for district in planted} == planted


def test_threshold_use(study):
    dims = ("element", "year", "district")
    measures = ("people", "people_over", "weeks_over", "cost_over", "share_over")
    rows = table(study, "working/threshold_use", *dims, *measures)
    found = {
        (*row[:3], *row[3:5], round(row[5] * 7), float(row[6]), row[7]) for row in rows if row[3]
    }
    truth = study.marginals["agreements_costed"]["threshold_use"]["rows"]
    assert found == {
        (*dims, people, over, days, cost, over / people)
        for *dims, people, over, days, cost in truth
    }


def test_forecast_has_the_past_of_elements_as_they_were_counted(study):
    frame = study.frame("working/forecast")
    past = frame[frame["actual"].notna() & ~frame["series"].str.endswith(", records")]
    if past.empty:
        pytest.skip("no element has ten people in a quarter at this scale")
    users = study.frame("working/users_by_quarter").set_index(["element", "quarter"])
    for series, own in past.groupby("series"):
        element, measure = series.split(", ")
        given = users.loc[[(element, period) for period in own["period"]]]
        assert own["actual"].tolist() == given[measure].fillna(0).astype(float).tolist()
        assert own["people"].tolist() == given["people"].tolist()
        assert own["period"].tolist()[-1] == "2015Q4"
        # Agreements that were open at the end of 2015 are in no extract.
        assert own["complete"].tolist() == [period < "2015" for period in own["period"]]
        assert own["forecast"].notna().tolist() == [
            bool(method) and not whole
            for method, whole in zip(own["method"], own["complete"], strict=True)
        ]


def test_forecasts_follow_the_past(study):
    frame = study.frame("working/forecast").sort_values(["series", "period"])
    trials = study.frame("working/forecast_backtest")
    for series, own in frame.groupby("series"):
        (method,) = set(own["method"])
        ahead = own[own["actual"].isna()]
        if method is None:
            assert ahead.empty
            continue
        assert own["actual"].isna().is_monotonic_increasing
        assert len(ahead) == 4
        assert (ahead["lower_95"] <= ahead["lower_80"]).all()
        assert (ahead["upper_80"] <= ahead["upper_95"]).all()
        assert ahead["forecast"].between(ahead["lower_80"], ahead["upper_80"]).all()
        tried = trials[trials["series"] == series]
        error = tried.groupby("method")["mase"].mean()
        assert {method} == set(tried.loc[tried["chosen"], "method"]) == {error.idxmin()}


def test_cross_service_people(study):
    truth = study.marginals["services"]
    found = table(study, "working/cross_service_people", "services", "people", "records")
    assert found == sorted(map(tuple, truth["people"]))
    assert len(found) == 2 ** len(truth["services"]) - 1


@pytest.mark.parametrize("layer", ["ward", "district"])
def test_cross_service_places(study, layer):
    names = ("layer", "code", "services", "people", "records")
    found = [r[1:] for r in table(study, "working/cross_service_places", *names) if r[0] == layer]
    truth = study.marginals["services"]["places"][layer]
    assert found == sorted(map(tuple, truth), key=str)


def test_unlinkable(study):
    found = table(study, "working/unlinkable", "service", "reason", "records")
    assert found == sorted(map(tuple, study.marginals["services"]["unlinkable"]))


def test_requests_by_area(study):
    found = study.query(
        """select service, code, cast(left(month, 4) as int), sum(records)
        from {working/requests_by_area} where layer = 'ward' group by all"""
    )
    truth = study.marginals["services"]["by_ward"]
    assert sorted(found) == sorted(map(tuple, truth))
    crm = dict(study.query(
        """select code, sum(records) from {working/requests_by_area}
        where service = 'crm' and layer = 'ward' group by all"""
    ))  # fmt: skip
    assert crm == {code: n for code, n in study.marginals["requests"]["newest_by_ward"] if code}


def test_every_column_says_what_it_is(study):
    for log in study.lake.rglob("_delta_log"):
        actions = [json.loads(line) for line in (log / f"{0:020d}.json").read_text().splitlines()]
        metadata = next(a["metaData"] for a in actions if "metaData" in a)
        fields = json.loads(metadata["schemaString"])["fields"]
        assert [f["name"] for f in fields if not f["metadata"].get("comment")] == [], log
