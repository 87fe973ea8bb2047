"""Spellings against a full table of alignments, and groups by what they must and must not join."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.measures.text_clusters import fingerprint, is_single_edit, letters, text_clusters
from socare_spark.twin.requests.request_descriptions import respelled, tail


def alignment(a, b):
    """Optimal string alignment distance, by the whole table."""
    table = [[i + j if not i * j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        table[i][j] = min(
            table[i - 1][j] + 1,
            table[i][j - 1] + 1,
            table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
        )
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_slip_is_an_alignment_distance_of_one(a, b):
    assert is_single_edit(a, b) == (alignment(a, b) <= 1)


LONG = st.text("qrst", min_size=4, max_size=7)


@given(st.lists(LONG, max_size=14, unique=True))
def test_every_pair_of_words_one_slip_apart_is_found(texts):
    groups = text_clusters(dict.fromkeys(texts, 1), shortest=3)
    for a, b in itertools.combinations(texts, 2):
        if is_single_edit(letters(a), letters(b)):
            assert groups[a] == groups[b]


FIXED = st.sampled_from(
    ["A", "B", "C", "a", "1", "2", "10", "11", "I", "II", "III", "IV", "V", "IX", "XI", "3a", "3b",
     "one", "two", "six", "ten", "Jun", "Jul", "Mar", "May", "first"]
)  # fmt: skip


@given(FIXED, FIXED, st.sampled_from(["{} Street Lighting", "Council Tax Band {}", "Zone {} Bins"]))
def test_numbers_single_letters_and_names_of_months_are_never_slips(one, other, text):
    a, b = text.format(one), text.format(other)
    same = one.casefold() == other.casefold()
    assert (text_clusters({a: 5, b: 1}, 4) == {}) == (not same or a == b)


@given(st.permutations(["A", "2", "III"]))
def test_numbers_and_letters_keep_their_order(order):
    given_, other = "Move from A to 2 by III", "Move from {} to {} by {}".format(*order)
    assert (fingerprint(given_) == fingerprint(other)) == (given_ == other)


def test_digits_do_not_move_between_numbers():
    assert text_clusters({"Garage 1 12 Rent": 3, "Garage 11 2 Rent": 2}, 4) == {}
    assert text_clusters({"Form 1 of 2 lost": 3, "Form 2 of 1 lost": 2}, 4) == {}


def test_a_fixed_word_is_neither_gained_nor_lost():
    assert text_clusters({"Council Tax Band": 3, "Council Tax Band A": 3}, 4) == {}
    assert text_clusters({"Council Tax Band A": 3, "Council Tax Band AB": 3}, 4) == {}


def test_known_words_are_no_slips_of_each_other():
    texts = dict.fromkeys(
        ["Missed Glass Collection", "Missed Grass Collection", "Broken Glass", "Glass Bottle Bank",
         "Grass Cutting Request", "Long Grass Complaint"], 3,
    )  # fmt: skip
    assert text_clusters(texts, 10) == {}
    # Without texts of its own `Grass` may be a slip.
    few = {"Missed Glass Collection": 9, "Missed Grass Collection": 1, "Broken Glass": 1}
    assert len(text_clusters(few, 10)) == 2


def test_known_word_in_an_unusual_context_is_a_misspelling():
    cases = ["Refund", "Review", "Appeal", "Payment", "Booking", "Letter", "Report", "Advice",
             "Copy", "Enquiry"]  # fmt: skip
    texts = [f"Adult Social Care {case}" for case in cases]
    texts += ["Abandoned Car", "Car Park Full", "Adult Social Car Refund"]
    assert set(text_clusters(dict.fromkeys(texts, 1), 10)) == {
        "Adult Social Care Refund",
        "Adult Social Car Refund",
    }


def test_a_word_and_its_plural_are_one():
    texts = ["Missed bin today", "Missed bins today", "Bin lorry", "Bin lid", "Bins full", "Bins"]
    assert set(text_clusters(dict.fromkeys(texts, 1), 10)) == {texts[0], texts[1]}


@pytest.mark.parametrize("number", [120, 460, 2_000])
def test_all_planted_variants_are_found_and_nothing_else(number):
    texts = tail(number, set(), awkward=True)
    groups = text_clusters(dict.fromkeys(texts, 1), 10)
    pairs = respelled(texts)
    assert len(pairs) > 5
    assert [(a, b) for a, b in pairs if groups.get(a, a) != groups.get(b, b)] == []
    assert set(groups) - {text for pair in pairs for text in pair} == set()


def test_misplaced_space_does_not_make_another_word():
    assert set(text_clusters({"Lift Lost": 9, "Lif tLost": 1}, shortest=20)) == {
        "Lift Lost",
        "Lif tLost",
    }


def test_the_most_used_spelling_is_canonical():
    large = "Special Waste Collection: Large Items"
    records = {large: 90_655, f"{large}.": 12, large.upper(): 12, "Pest Control": 5}
    assert text_clusters(records, 8) == {t: large for t in records if t != "Pest Control"}


def test_of_equally_used_spellings_the_first_is_canonical():
    assert set(text_clusters({"Bulky waste": 3, "Bulky Waste": 3}, 8).values()) == {"Bulky Waste"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Council Tax Form 1", "Council Tax Form 2"),
        ("Council Tax Form 1", "Council Tax Form 11"),
        ("Council Tax Band A", "Council Tax Band B"),
        ("Housing Phase I", "Housing Phase II"),
        ("Ward 10 Street Lighting", "Ward 11 Street Lighting"),
        ("Bin lost", "Bin last"),  # too short to tell a slip from another word
        ("Missed collection", "Missed collections twice"),
        ("- -", "..."),
    ],
)
def test_different_services_are_not_joined(one, other):
    assert text_clusters({one: 1, other: 1}, 10) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wheelie bin replacement", "Wheelie bin replacment"),
        ("Wheelie bin replacement", "Wheelie-bin replacement"),
        ("Re-cycling box", "Recycling box"),
        ("Café licence", "CAFE LICENCE"),
        ("E-mail enquiry", "Email enquiry"),
        ("Council Tax Band A", "Council Tax Band  a."),
        ("Council Tax Band A", "Counci Tax Band A"),
        ("Recycling box", "Box, recycling"),
    ],
)
def test_spellings_of_one_service_are_joined(one, other):
    assert text_clusters({one: 2, other: 1}, 10) == {one: one, other: one}
