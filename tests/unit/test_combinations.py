"""Combinations from their collected spellings: sub-processes, texts, bands, extremes, blocks."""

from datetime import date

import pandas as pd
import pytest

from socare_spark.analyses.combinations.counts import (
    COMBINATION_TOTALS,
    COMBINATIONS,
    band_members,
    combination_members,
    combinations_in_use,
    subprocess_extremes,
    total_members,
    with_subprocess,
)
from socare_spark.analyses.combinations.groups import number_groups
from socare_spark.analyses.combinations.periods import period_members
from socare_spark.analyses.combinations.reasons import reasons_of
from socare_spark.analyses.combinations.renames import rename_members
from socare_spark.analyses.combinations.sets import without_unknown
from socare_spark.analyses.combinations.settings import Blocks
from socare_spark.analyses.combinations.turnover import block_members, blocks
from socare_spark.analyses.vocabulary import Claim
from socare_spark.measures.bands import Band

MONTHLY = Blocks(window="month", combinations=3)
DAY = date(2014, 1, 1)
NAMES = ["reason", "outcome", "reason_description", "outcome_description", "brackets", "records"]


def spelled_of(*rows, claims=(), days=(DAY, DAY)):
    """Spellings of (reason, outcome, their texts, brackets, records)."""
    frame = pd.DataFrame(list(rows), columns=NAMES)
    texts = [f"text {at}" for at in range(len(frame))]
    dated = frame.assign(
        reason_text=pd.Series(texts, dtype=object), outcome_text="o",
        first_used=days[0], last_used=days[1],
    )  # fmt: skip
    return with_subprocess(dated, claims)


def in_use(*rows):
    names = ["reason", "outcome", "first_used", "last_used"]
    return pd.DataFrame(list(rows), columns=names)


def test_claim_of_a_pair_takes_precedence_over_that_of_its_reason():
    claims = [Claim("A", None, "MASH"), Claim("A", "COMP", "Early help")]
    rows = [
        ("A", "COMP", None, None, None, 1),
        ("A", "X", None, None, None, 1),
        ("A", None, None, None, None, 1),
        ("B", "COMP", None, None, None, 1),
        (None, "COMP", None, None, None, 1),
    ]
    assert [*spelled_of(*rows, claims=claims)["subprocess"]] == [
        "Early help", "MASH", "MASH", "Unmapped", "Unmapped",
    ]  # fmt: skip


def test_a_combination_has_the_texts_of_most_records():
    spelled = spelled_of(
        ("A", "X", "Form", "Done", None, 2),
        ("A", "X", "Form", "Done", "2015", 2),  # of another spelling
        ("A", "X", "Plan", None, None, 3),
        ("B", "X", "b", "c", None, 1),
        ("B", "X", "b", None, None, 1),  # as many: the first by alphabet, no text before any
        ("B", "X", "c", None, None, 1),
        (None, "X", "c", None, None, 9),  # no code, no combination
    )
    names = ["reason", "reason_description", "outcome_description"]
    made = combinations_in_use(spelled).sort_values("reason")[names]
    rows = made.to_numpy(dtype=object).tolist()
    assert [[None if pd.isna(v) else v for v in row] for row in rows] == [
        ["A", "Form", "Done"],
        ["B", "b", None],
    ]


@pytest.mark.parametrize(("people", "band"), [(1, "below 2"), (2, "2+"), (3, "2+"), (0, "below 2")])
def test_a_combination_on_a_boundary_is_in_the_band_that_begins_there(people, band):
    bands = [
        Band.model_validate({"label": "2+", "from": 2}),
        Band.model_validate({"label": "below 2", "from": 0, "to": 2}),
    ]
    counted = pd.DataFrame({"reason": ["A", "B"], "outcome": "X", "people": [people, 99]})
    spelled = spelled_of(*[(code, "X", None, None, None, 1) for code in "AAB"])
    made = band_members(counted, spelled, bands).set_index("reason_text")
    assert [*made["band"]] == [band, band, "2+"]
    assert [*made["combinations"]] == ([2, 2, 2] if band == "2+" else [1, 1, 1])


def test_extremes_rank_as_the_study_printed_them():
    # Table 22, most and least used of MASH & ASTI, and one between; out of order on purpose.
    counted = [
        ("MASH", "REF03", "MSPCLS03", 1, 1),
        ("MASH", "REF03", "LOGREF", 15242, 17867),
        ("MASH", "REF03", "MSPCLS02", 1, 1),
        ("MASH", "ER34", "COMP", 1, 1),
        ("MASH", "ER32", "NFA", 40, 41),
        ("MASH", "ER34", "LOGREF", 18809, 22823),
        ("MASH", "REF03", "LOGCON", 12154, 14061),
    ]
    names = ["subprocess", "reason", "outcome", "people", "records"]
    made = subprocess_extremes(pd.DataFrame(counted, columns=names), 3)
    assert made[["kind", "rank", "reason", "outcome"]].to_numpy().tolist() == [
        ["most", 1, "ER34", "LOGREF"], ["most", 2, "REF03", "LOGREF"],
        ["most", 3, "REF03", "LOGCON"],
        ["least", 1, "ER34", "COMP"], ["least", 2, "REF03", "MSPCLS02"],
        ["least", 3, "REF03", "MSPCLS03"],
    ]  # fmt: skip


def test_one_window_may_hold_a_block_of_starts_and_one_of_ends():
    changed = [("A", o, date(2012, 1, 1), date(2013, 5, 2)) for o in "XYZ"]
    changed += [("B", o, date(2013, 5, 9), date(2014, 1, 1)) for o in "XYZ"]
    made = blocks(in_use(*changed), MONTHLY)
    assert {*made[["block", "kind", "reason"]].itertuples(index=False, name=None)} == {
        (1, "start", "B"),
        (2, "end", "A"),
    }
    assert [*made["combinations"]] == [3] * 6


def test_combinations_without_days_are_in_no_block():
    assert blocks(in_use(*[("A", o, None, None) for o in "XYZ"]), MONTHLY).empty


def test_each_group_has_a_number_and_its_spellings():
    claims = [Claim("A", None, "S")]
    spelled = spelled_of(
        ("A", "X", "a", None, None, 1), ("A", "X", "b", None, None, 1),
        ("A", "Y", None, None, None, 1), (None, "Y", None, None, None, 1), claims=claims,
    )  # fmt: skip
    groups = number_groups(
        {
            COMBINATIONS: combination_members(combinations_in_use(spelled), spelled),
            COMBINATION_TOTALS: total_members(spelled),
        }
    )
    assert sorted(groups.members["group"]) == [0, 0, 1, 2, 2, 2, 3, 3, 3, 4]
    rows = groups.rows[COMBINATION_TOTALS]
    assert [*rows["group"]] == [2, 3, 4]
    assert [*rows["subprocess"]] == ["S", "S", "Unmapped"]
    assert [*rows["reason"].fillna("all")] == ["A", "all", "all"]


def test_records_without_a_value_in_a_flag_have_no_combination():
    spelled = pd.DataFrame({"reason_text": ["sdq", None, "(none)"], "records": [3, 2, 1]})
    known, number = without_unknown(spelled)
    assert (known["reason_text"].tolist(), number) == (["sdq", "(none)"], 2)


def test_without_spellings_there_are_no_groups():
    spelled = spelled_of()
    found = combinations_in_use(spelled)
    members = {
        COMBINATIONS: combination_members(found, spelled),
        COMBINATION_TOTALS: total_members(spelled),
    }
    groups = number_groups(members)
    assert groups.members.empty
    for made in (
        block_members(found, spelled, MONTHLY),
        rename_members([], spelled),
        period_members(reasons_of(spelled), spelled),
        subprocess_extremes(found.assign(people=0), 3),
    ):
        assert made.empty
