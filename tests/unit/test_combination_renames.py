"""Reasons taken for one another's renaming."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.analyses.combinations.reasons import Reason
from socare_spark.analyses.combinations.renames import Rename, renamed, similarity
from socare_spark.analyses.combinations.settings import Renames

WANTED = Renames(similarity=0.75, days=92, shortest=6)
DAY = date(2014, 1, 1)


def reason(code, name, first, last):
    """A reason in use from so many to so many days after a day."""
    return Reason(code, name, False, None, DAY + timedelta(days=first), DAY + timedelta(days=last))


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ("Referral Form", "Mash - Referral Form", 4 / 5),
        (
            "Family Support Teams - Referral",
            "Family Support Teams Referral",
            1,
        ),  # marks are no words
        ("Referral form", "FORM, Referral", 1),
        ("Section 47 Enquiry", "Section 47 Enquiry and Outcome", 6 / 8),
        ("Section 47 Enquiry", "Section 47 Inquiry", 1),  # a slip in a long word
        ("Plan of Care", "Plan of Case", 4 / 6),  # but not in a short one
        ("Plan Part 1", "Plan Part 2", 4 / 6),  # figures are never slips
        ("Plan plan", "Plan", 2 / 3),  # words count as often as they stand
        ("Risk Assessment", "Core Assessment", 2 / 4),
    ],
)
def test_similarity_is_the_share_of_words_in_common(before, after, alike):
    wanted = Renames(similarity=0.1, days=0, shortest=6)
    pair = [reason("A", before, 0, 9), reason("B", after, 10, 20)]
    assert renamed(pair, wanted) == [Rename("A", "B", pytest.approx(alike), 0)]


def test_texts_without_words_are_not_alike():
    assert similarity(Counter(), Counter()) == 0


@pytest.mark.parametrize(
    ("first", "last", "gap"),
    [
        (101, 200, 0),  # the day after
        (100, 200, -1),  # both in use on one day
        (193, 200, 92),
        (194, 200, None),  # too late
        (9, 200, -92),
        (8, 200, None),  # too early
        (60, 100, None),  # not in use longer
        (0, 200, None),  # in use from the same day
    ],
)
def test_renamed_reason_starts_near_the_end_of_the_old_one(first, last, gap):
    old = reason("OLD", "Referral Form", 0, 100)
    found = renamed([reason("NEW", "Referral Form", first, last), old], WANTED)
    assert found == ([] if gap is None else [Rename("OLD", "NEW", 1.0, gap)])


def test_reason_can_have_two_successors_and_a_predecessor():
    chain = [
        reason("S1", "Section 47 Enquiry", 0, 99),
        reason("S2", "Section 47 Enquiry", 100, 199),
        reason("S3", "Section 47 Enquiry and Outcome", 195, 300),
        reason("S4", "Section 47 Enquiry", 200, 300),
    ]
    assert [(r.reason_a, r.reason_b) for r in renamed(chain, WANTED)] == [
        ("S1", "S2"), ("S2", "S3"), ("S2", "S4"),
    ]  # fmt: skip


def test_reasons_without_text_or_dates_are_never_renames():
    lacking = [
        reason("A", None, 0, 99),
        reason("B", None, 100, 199),
        Reason("C", "Plan", False, None, None, None),
        reason("D", "Plan", 100, 199),
    ]
    assert renamed(lacking, WANTED) == []
    assert renamed([], WANTED) == []


USES = st.tuples(
    st.sampled_from(["plan", "plan of care", "care", "review of the plan"]),
    st.integers(0, 60),
    st.integers(0, 60),
)


@given(st.lists(USES, max_size=12), st.integers(0, 20), st.sampled_from([0.4, 0.75, 1.0]))
def test_renames_equal_a_comparison_of_all_pairs(uses, days, least):
    reasons = [
        reason(f"R{i}", name, start, start + length) for i, (name, start, length) in enumerate(uses)
    ]
    expected = set()
    for a in reasons:
        for b in reasons:
            left, right = Counter(a.name.split()), Counter(b.name.split())
            common = sum((left & right).values()) * 2 / (len(a.name.split()) + len(b.name.split()))
            gap = (b.first_used - a.last_used).days - 1
            later = b.first_used > a.first_used and b.last_used > a.last_used
            if later and abs(gap) <= days and common >= least:
                expected.add((a.code, b.code, gap))
    found = renamed(reasons, Renames(similarity=least, days=days, shortest=9))
    assert {(r.reason_a, r.reason_b, r.gap_days) for r in found} == expected
    assert len(found) == len(expected)


def test_reason_in_use_until_the_last_day_of_the_calendar_has_no_successor():
    endless = Reason("OLD", "Referral Form", False, None, DAY, date.max)
    later = Reason("NEW", "Referral Form", False, None, DAY + timedelta(days=1), date.max)
    assert renamed([endless, later], WANTED) == []
