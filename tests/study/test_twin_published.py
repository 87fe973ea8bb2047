"""The twin at the study's own size: every published marginal that the jobs report, counted by
DuckDB from the files.

Takes about two minutes and 0.6 GB of disk.
"""

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from socare_spark.twin import write_twin
from tests.study import children_recount
from tests.study import twin_recount as recount
from tests.study import use_recount as use

pytestmark = [pytest.mark.study, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "socare_spark" / "twin" / "facts"
# Tables 21 to 23: sub-process -> the three most and the three least used, in the printed order.
PRINTED = {
    "Early help & intervention": (
        [
            ("IFSTR_01", "RECMP", 8_310, 15_028),
            ("FSTR02", "RECMP", 3_430, 5_656),
            ("FSTC02", "COMP", 2_826, 4_007),
        ],
        [("AFRF", "AFR1", 1, 2), ("CAM_MED", "CAM_MDS", 1, 1), ("TES_SDQ", "COMP", 1, 1)],
    ),
    "MASH & ASTI": (
        [
            ("ER34", "LOGREF", 18_809, 22_823),
            ("REF03", "LOGREF", 15_242, 17_867),
            ("REF03", "LOGCON", 12_154, 14_061),
        ],
        [("ER34", "COMP", 1, 1), ("REF03", "MSPCLS02", 1, 1), ("REF03", "MSPCLS03", 1, 1)],
    ),
    "Other": (
        [
            ("SUM1", "SUPERV", 26_098, 133_855),
            ("STATLAC5", "STATVIS7", 11_323, 46_218),
            ("STATLAC5", "STATVIS6", 6_458, 77_995),
        ],
        [("CTPF2", "COMP", 1, 1), ("SUM31", "COMP", 1, 1), ("CWD2", "CLOSE", 3, 5)],
    ),
}
# Table 20.
SIZES = {
    "Children in care & court work": 72,
    "Children in need": 16,
    "Child protection & safeguarding": 58,
    "Early help & intervention": 37,
    "MASH & ASTI": 65,
    "Other": 20,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The truth of the twin at scale 1 and a database of its kept rows."""
    folder = tmp_path_factory.mktemp("study")
    truth = write_twin(folder / "landing", scale=1, seed=1)
    yield truth, recount.database(folder / "landing", folder)


@pytest.fixture(scope="module")
def con(study):
    return study[1]


@pytest.fixture(scope="module")
def districts():
    with open(FACTS / "districts.csv", newline="") as file:
        return [row["district"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def used(con):
    """Sub-process -> its combinations as (reason, outcome, people, records, first, last use)."""
    words = yaml.safe_load((ROOT / "conf/vocabulary/subprocesses.yaml").read_text(encoding="utf-8"))
    owner = {reason: name for name, reasons in words["subprocesses"].items() for reason in reasons}
    found = {name: [] for name in words["subprocesses"]}
    for (reason, outcome), figures in recount.combinations(con).items():
        found[owner[reason]].append((reason, outcome, *figures))
    return found


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        # Table 3
        (
            "agreements_closed",
            [("0-11", 10_000), ("11-25", 34_000), ("25-65", 47_000), ("65+", 124_000)],
        ),
        # Table 7
        (
            "agreements_costed",
            [("0-11", 7_300), ("11-25", 26_000), ("25-65", 47_000), ("65-90", 133_000)],
        ),
    ],
)
def test_age_bands(con, dataset, expected):
    assert [(b, n) for b, n, _ in recount.age_bands(con, dataset, expected[-1][0])] == expected


@pytest.mark.parametrize("dataset", ["agreements_closed", "agreements_costed"])
def test_2009_to_2015_is_the_shortest_run_with_80_percent(con, dataset):
    years = dict(
        con.execute(f"SELECT year(first_day), count(*) FROM {dataset} GROUP BY 1").fetchall()
    )
    for whole in (sum(years.values()), sum(n for y, n in years.items() if y >= 2001)):
        reach = {
            (first, last): sum(years.get(y, 0) for y in range(first, last + 1)) >= 0.8 * whole
            for first in range(2001, 2016)
            for last in range(first, 2016)
        }
        enough = [run for run, holds in reach.items() if holds]
        shortest = min(last - first for first, last in enough)
        assert [run for run in enough if run[1] - run[0] == shortest] == [(2009, 2015)]


def test_two_contracts_by_district(con, districts):
    """Tables 8 and 9."""
    counts = recount.contracts(con)
    assert [sum(column) for column in zip(*counts.values(), strict=True)] == [72_860, 55_199]
    printed = {
        "B23": (1_254, 564),
        "B24": (816, 426),
        "B75": (645, 261),
        "B26": (952, 569),
        "B42": (690, 332),
    }
    by_difference = sorted(districts, key=lambda d: counts[d][1] - counts[d][0])
    assert by_difference[:5] == list(printed)
    assert {d: counts[d] for d in printed} == printed
    sixth = by_difference[5]
    assert counts[sixth][1] - counts[sixth][0] > -358


def test_respite_of_disabled_children_by_quarter(con):
    """Figure 28 and Table 10: 98 people, of whom 76 left; 108, of whom 86 are new."""
    people = list(use.users_by_quarter(con, "CHIRDRT").values())
    assert len(people) == 24
    assert (people[0], people[20]) == (98, 108)
    both = use.users_between_quarters(con, "CHIRDRT", "2010-01-01", "2015-01-01")
    assert both == (98, 108, 22)
    changes = [abs(b / a - 1) for a, b in pairwise(people)]
    assert 0.195 < max(changes) <= 0.2 + 1e-9


@pytest.mark.parametrize("service", ["TRAN", "DAYC", "ENAB"])
def test_programmes_of_savings_have_records_in_every_year(con, service):
    """Table 14."""
    years = use.cost_by_year(con, service)
    assert list(years) == [2010, 2011, 2012, 2013, 2014, 2015]
    assert min(cost for _, _, cost in years.values()) > 0


def test_transport_is_used_less_every_year(con):
    """Figure 36: records, people and cost."""
    for figures in zip(*use.cost_by_year(con, "TRAN").values(), strict=True):
        assert list(figures) == sorted(figures, reverse=True)


def test_day_care_is_31_percent_internal(con, districts):
    """Case study 9, whether an agreement counts once or in every year."""
    found = use.day_care(con, districts)

    def share(*cells):
        internal, external = (sum(column) for column in zip(*cells, strict=True))
        return internal / (internal + external)

    years = range(2010, 2016)
    assert round(share(found[None, None, None]), 2) == 0.31
    assert round(share(*(found[None, None, year] for year in years)), 2) == 0.31
    by_year = [share(found[None, None, year]) for year in years]
    by_client = [share(found[c, None, None]) for c in ("CH", "LD", "MH", "OA", "PD", "SM")]
    assert max(by_year) - min(by_year) > 0.01
    assert max(by_client) - min(by_client) > 0.1
    by_district = {
        d: share(cell) for (c, d, y), cell in found.items() if d and (c, y) == (None, None)
    }
    assert by_district["B33"] > 0.7
    assert by_district["B23"] < 0.1
    others = [s for d, s in by_district.items() if d not in ("B23", "B33") and s > 0]
    assert len({round(s, 2) for s in others}) > 10


def test_one_in_five_has_enablement_for_more_than_six_weeks(con, districts):
    """Case study 10: the share of people, and what the time beyond costs in a year."""
    people, over, days, cost = use.enablement(con, districts)[None, None, None]
    assert 0.195 <= over / people <= 0.205
    assert 790_000 <= cost / 6 <= 799_999
    assert days > 0


def test_enablement_goes_on_by_adjoining_and_overlapping_agreements(con):
    adjoining, overlapping = use.agreements_of_spells(con)
    assert adjoining > 500
    assert overlapping > 500


def test_stages(con):
    """Tables 11 and 13 and case study 7."""
    totals, regions = recount.stages(con)
    assert {s: totals[s] for s in ("CA", "AS", "SP", "AG")} == {
        "CA": (56_701, 124_575),
        "AS": (26_632, 37_581),
        "SP": (23_936, 42_593),
        "AG": (29_385, 94_400),
    }
    assert len(totals) == 9
    in_stage = {s: {r for r in regions if s in r.split("+")} for s in totals}
    without = [
        ("AS", "CA", 3_967, 60_668),
        ("SP", "AS", 8_930, 35_562),
        ("AG", "SP", 8_350, 32_286),
    ]
    for stage, previous, missing, either in without:
        assert sum(regions[r] for r in in_stage[stage] - in_stage[previous]) == missing
        assert sum(regions[r] for r in in_stage[stage] | in_stage[previous]) == either
    assert regions["AG+AS+CA+SP"] == 11_575
    assert sum(regions.values()) == 70_474
    assert con.execute(
        "SELECT count(*), count(DISTINCT person) FROM adult_assessments"
    ).fetchone() == (238_000, 69_147)


def test_people_only_in_contact_assessment(con):
    """Case study 6."""
    outcomes = yaml.safe_load((ROOT / "conf/vocabulary/outcomes.yaml").read_text(encoding="utf-8"))
    counted = recount.single_contacts(con, {o["code"]: o["category"] for o in outcomes})
    assert counted == (27_238, 17_432, 9_239, 16_386, 10_197)


def test_adult_words_are_used(con):
    """Table 12: 42 outcomes and 85 teams."""
    assert con.execute(
        "SELECT count(DISTINCT FORM_OUTCOME), count(DISTINCT SERVICE_TEAM) FROM adult_assessments"
    ).fetchone() == (42, 85)


def test_children_in_all(con, used):
    assert recount.children_people(con) == (63_012, 768_728)
    assert recount.children_people(con, ["STATLAC5"]) == (22_386, 190_365)
    assert {name: len(combinations) for name, combinations in used.items()} == SIZES
    people = [c[2] for combinations in used.values() for c in combinations]
    assert sum(n >= 10_000 for n in people) == 7
    assert sum(5_000 <= n < 10_000 for n in people) == 9
    assert sum(n < 5_000 for n in people) == 252
    assert sum(n < 100 for n in people) >= 100


@pytest.mark.parametrize("name", PRINTED)
def test_most_and_least_used(used, name):
    """Tables 21 to 23; equal ones by reason, then outcome, in both directions."""
    most, least = PRINTED[name]
    combinations = [c[:4] for c in used[name]]
    assert sorted(combinations, key=lambda c: (-c[2], c[0], c[1]))[:3] == most
    assert sorted(combinations, key=lambda c: (c[2], c[0], c[1]))[:3] == least


def test_combinations_of_children_in_need_are_in_use_at_the_same_time(used):
    uses = used["Children in need"]
    assert max(c[4] for c in uses) < min(c[5] for c in uses)


def test_the_seven_most_used_combinations(con, used):
    """Thesis 5.8: one of 20,000 people and more; five with a period in brackets, two of them not
    named, of which one logs a referral.
    """
    seven = {
        (reason, outcome): (name, people)
        for name, combinations in used.items()
        for reason, outcome, people, *_ in combinations
        if people >= 10_000
    }
    assert [c for c, (_, people) in seven.items() if people >= 20_000] == [("SUM1", "SUPERV")]
    dated = {reason for reason, *_ in children_recount.periods(con)}
    assert sum(reason in dated for reason, _ in seven) == 5
    named = {(r, o) for most, _ in PRINTED.values() for r, o, *_ in most}
    unnamed = {c: name for c, (name, _) in seven.items() if c not in named}
    assert len(unnamed) == 2
    assert all(reason in dated for reason, _ in unnamed)
    assert sum(outcome == "LOGREF" for _, outcome in unnamed) == 1
    assert not {"Early help & intervention", "Other"} & set(unnamed.values())


def test_every_sub_process_has_combinations_of_hardly_anybody(used):
    """Thesis 5.11: five people or fewer."""
    assert all(min(c[2] for c in combinations) <= 5 for combinations in used.values())


def test_combinations_start_and_end_in_blocks(study, used):
    truth, con = study
    blocks = children_recount.blocks(con)
    told = truth["marginals"]["children_assessments"]["combination_blocks"]
    assert blocks == [tuple(block.values()) for block in told]
    # Which combinations have one record, whose day is free, depends on the scale alone.
    fixed = [c for combinations in used.values() for c in combinations if c[3] > 1]
    found = {(kind, month): number for _, kind, month, number, *_ in blocks}
    for kind, place in (("start", 4), ("end", 5)):
        planted = Counter(f"{c[place][:7]}-01" for c in fixed)
        many = {month: number for month, number in planted.items() if number >= 20}
        assert len(many) >= 4
        assert all(found[kind, month] >= number for month, number in many.items())
    days = [day for combinations in used.values() for c in combinations for day in c[4:6]]
    assert min(days) >= "2006-01-01"
    assert max(days) <= "2018-12-31"


def test_referral_forms_are_renamed_for_mash(con):
    """Thesis 5.8, and the family support referral of Table 21."""
    gaps = {(a, b): gap for a, b, gap, *_ in children_recount.renames(con)}
    assert gaps[("ER34", "REF03")] == -90
    assert gaps[("IFSTR_01", "FSTR02")] == -30


def test_periods_in_brackets_and_their_use(study):
    truth, con = study
    told = truth["marginals"]["children_assessments"]["combination_periods"]
    periods = children_recount.periods(con)
    assert periods == [tuple(row.values()) for row in told]
    # Thesis 5.8: the first MASH referral form, declared to May 2015, was in use in 2016.
    mash = next(row for row in periods if row[0] == "REF03")
    assert mash[1:3] == ("2014-12-01", "2015-05-31")
    assert mash[4] > "2016-01-01"
    assert mash[5] > 0


def test_texts_of_tables_21_to_23(con):
    """Reasons as printed, whatever the dashes."""
    rows = con.execute(
        "SELECT DISTINCT replace(ASSESSMENT_REASON, '\u2013', '-') FROM children_assessments"
    ).fetchall()
    assert {reason for (reason,) in rows} >= {
        "IFSTR_01 - Family Support Teams - Referral (May 13 - Jun 15)",
        "FSTR02 - Family Support Teams Referral (2015)",
        "FSTC02 - Family Support Case Closure Summary",
        "AFRF - Archive File Retrieval eForm",
        "CAM_MED - CAMHS - Medical Monitoring Form (Jul 12 - Feb 14)",
        "TES_SDQ - TESS - SDQ Summary Scores",
        "ER34 - Referral Form (Oct 12 - Feb 15)",
        "REF03 - Mash - Referral Form (Dec 14 - May 15)",
        "SUM1 - Case Work Supervision",
        "STATLAC5 - Record of a Statutory Visit",
        "CTPF2 - Area Case Transfer Part 2",
        "SUM31 - Three Monthly Case Review",
        "CWD2 - C W D Ess. Add. Healthcare Needs (Jan 08 - Oct 15)",
    }


def test_examples_of_table_19(con):
    rows = con.execute(
        "SELECT DISTINCT ASSESSMENT_REASON, FORM_OUTCOME FROM children_assessments "
        "WHERE ASSESSMENT_REASON LIKE 'CIC%'"
    ).fetchall()
    assert (
        "CICHLTH - Looked After Nurses \u2013 Notes",
        "HLTHAS - Health Assessment Completed",
    ) in rows
    assert (
        "CIC_PR1 - C I C Accommodation Request",
        "REQUEST - Accommodation Request Completed",
    ) in rows


def test_snapshots(con):
    """Table 24."""
    assert {s: figures[:2] for s, figures in recount.snapshots(con).items()} == {
        "2019-02-12": (1_170_517, 23_334),
        "2019-08-12": (1_185_728, 23_066),
        "2020-02-25": (1_189_511, 23_004),
    }


def test_top_requests(con):
    """Table 25 as printed, and ranks 29 and 30 below it."""
    top = recount.top_requests(con, 31)
    with open(FACTS / "table25.csv", newline="") as file:
        for row in csv.DictReader(file):
            assert top[row["snapshot"], int(row["rank"])] == (
                row["description"],
                int(row["records"]),
            )
    for snapshot in {s for s, _ in top}:
        assert (
            top[snapshot, 28][1]
            > top[snapshot, 29][1]
            > top[snapshot, 30][1]
            > top[snapshot, 31][1]
        )


def test_requests_of_table_26_are_used_once(con):
    for snapshot, text in (
        ("2019-02-12", "wheelie process"),
        ("2019-08-12", "wheelie bin pod"),
        ("2020-02-25", "wheelie bin Charge"),
    ):
        number = con.execute(
            "SELECT count(*) FROM requests WHERE period = ? AND SERVICE_DESCRIPTION = ?",
            [snapshot, text],
        ).fetchone()
        assert number == (1,)


def test_people_known_to_several_services(study):
    truth, con = study
    told = truth["marginals"]["services"]["people"]
    assert recount.known_to(con) == {s: (people, records) for s, people, records in told}


def test_ledger_adds_up_and_keeps_what_was_counted(study):
    truth, con = study
    for dataset in recount.RULES:
        files = [file for name, file in truth["files"].items() if name.startswith(f"{dataset}/")]
        kept = con.execute(f"SELECT count(*) FROM {dataset}").fetchone()[0]
        assert kept == sum(file["rows_kept"] for file in files)
        for file in files:
            others = ("rows_kept", "rows_quarantined", "rows_duplicate", "rows_superseded")
            assert file["rows_read"] == sum(file[key] for key in others)
