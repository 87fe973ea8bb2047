"""Pictures of a flow besides its graph: what they say, and the same picture for the same rows."""

import pandas as pd
import pytest
from pictures import texts_of

from socare_spark.charts import cumulative_incidence, outcome_matrix, single_stage_charts, style
from socare_spark.charts.cumulative_incidence import Waiting, draw_waiting
from socare_spark.charts.outcome_matrix import draw_outcomes
from socare_spark.charts.single_stage_charts import (
    SingleStagePicture,
    draw_single_stage,
    draw_single_stage_areas,
)
from socare_spark.contracts.nouns import Noun

ASSESSMENT = Noun(one="assessment", many="assessments")
SEEN = pd.DataFrame(
    [
        ("assessments", "1", None, 64), ("assessments", "3", None, 30),
        ("assessments", "12", None, 4), ("assessments", "99", None, 2),
        ("length_days", "0", None, 10), ("length_days", "7", None, 30),
        ("length_days", "8", None, 8), ("length_days", "400", None, 12),
        ("length_days", None, None, 4),
        ("outcome_category", "Proceed", None, 48), ("outcome_category", "Close", None, 16),
        ("ward", "W1", "Close", 12), ("ward", "W1", "Proceed", 12),
        ("ward", "W2", "Proceed", 30), ("ward", None, "Close", 4), ("ward", None, "Proceed", 6),
    ],
    columns=["measure", "value", "outcome_category", "people"],
)  # fmt: skip
MATRIX = pd.DataFrame(
    [("Close", "Adults", 30), ("Proceed", "Adults", 10), ("Proceed", "A $\\frac$ team", 1000)],
    columns=["outcome_category", "team_category", "records"],
)
CURVE = [
    "transition", "time", "at_risk", "events", "cumulative_incidence", "lower", "upper",
]  # fmt: skip


def curve(transition, begun, *days):
    """Rows of a transition from (day, who came, who was censored)."""
    rows, left, survived = [], begun, 1.0
    for day, came, censored in days:
        survived *= 1 - came / left
        share = 1 - survived
        limits = (share * 0.9, share + (1 - share) * 0.1) if 0 < share < 1 else (None, None)
        rows.append((transition, day, left, came, share, *limits))
        left -= came + censored
    return pd.DataFrame(rows, columns=CURVE).astype({"lower": float, "upper": float})


CURVES = pd.concat(
    [
        curve("CA > AS", 100, (0, 5, 0), (7, 20, 0), (30, 15, 10), (400, 0, 50)),
        curve("AS > SP", 30, (1, 10, 0), (5, 20, 0)),  # all came
    ]
)


@pytest.fixture
def said(monkeypatch):
    return texts_of(monkeypatch, outcome_matrix, single_stage_charts, cumulative_incidence)


def _picture(rows=SEEN, noun=ASSESSMENT, cases="people"):
    return SingleStagePicture("Contact", rows, "a table", noun, cases)


def test_single_stage_chart_shows_counts_and_shares(tmp_path, said):
    draw_single_stage(_picture(), tmp_path / "a.png")
    assert {style.EXACT, "Source: a table", "People in Contact and in no other stage"} <= set(said)
    assert any(text.startswith("100 people; 64 of them have one assessment") for text in said)
    # 10 and 30 of the 60 whose length is known had ended within 7 days, 8 more within 30.
    assert {"66.7% within 7 days", "80.0% within 30 days"} <= set(said)
    assert "Share ended by day; of 4 it is not known" in said
    assert {"64\n64.0%", "48  75.0%", "16  25.0%", "> 10", "6"} <= set(said)


def test_areas_are_ordered_by_share_of_the_most_frequent_outcome(tmp_path, said):
    draw_single_stage_areas(_picture(), "ward", {"W1": "First", "W2": "Second"}, tmp_path / "a.png")
    named = [text for text in dict.fromkeys(said) if text in ("First", "Second", "not located")]
    assert named == ["Second", "not located", "First"]
    assert "Of people with one assessment, by the ward of their home; ordered by the share of " \
        "Proceed" in said  # fmt: skip


def test_single_stage_chart_without_durations_is_drawn(tmp_path):
    rows = SEEN[SEEN["measure"] == "assessments"][:1]
    assert draw_single_stage(_picture(rows), tmp_path / "a.png").is_file()


def test_outcomes_are_shares_of_the_teams_records(tmp_path, said):
    draw_outcomes(MATRIX, "A flow", "a table", tmp_path / "a.png", ASSESSMENT)
    assert {style.EXACT, "Source: a table"} <= set(said)
    assert {"30\n75.0%", "10\n25.0%", "1,000\n100.0%", "\N{MIDDLE DOT}"} <= set(said)
    assert {"Adults\n40", "1,010"} <= set(said)


def test_waiting_chart_shows_arrivals_and_numbers_at_risk(tmp_path, said):
    draw_waiting(CURVES, Waiting("A flow", "a table"), tmp_path / "a.png")
    assert {style.EXACT, "Source: a table"} <= set(said)
    assert {"CA > AS: 40 of 100 people", "AS > SP: 30 of 30 people"} <= set(said)
    # All 100 on day 0, then without the first 5, 20 more and 25 more.
    assert [t for t in dict.fromkeys(said) if t in ("100", "95", "75", "50")] == [
        "100", "95", "75", "50",
    ]  # fmt: skip
    assert "Days on a square-root scale." in said


def test_of_many_transitions_the_most_frequent_are_drawn(tmp_path, said):
    many = [curve(f"A > {name}", 100, (1, came, 0)) for came, name in enumerate("BCDEFGHIJ")]
    draw_waiting(pd.concat(many), Waiting("A log", "a table"), tmp_path / "a.png")
    assert "Days on a square-root scale. The 6 transitions that most people made, of 9." in said
    assert {"A > J", "A > E"} <= set(said)
    assert not {"A > B", "A > C", "A > D"} & set(said)


def test_transition_without_events_is_drawn(tmp_path, said):
    draw_waiting(curve("A > B", 3, (0, 0, 3)), Waiting("A log", "a table"), tmp_path / "a.png")
    assert "A > B: 0 of 3 people" in said


def test_pictures_are_alike_whatever_the_order_of_rows(tmp_path):
    def drawn(step):
        picture = _picture(SEEN[::step])
        return [
            path.read_bytes()
            for path in (
                draw_single_stage(picture, tmp_path / "a.png"),
                draw_single_stage_areas(picture, "ward", {}, tmp_path / "b.png"),
                draw_outcomes(MATRIX[::step], "A flow", "x", tmp_path / "c.png", ASSESSMENT),
                draw_waiting(CURVES[::step], Waiting("A flow", "x"), tmp_path / "d.png"),
            )
        ]

    assert drawn(1) == drawn(-1)


def test_waiting_chart_names_its_unit_and_its_cases(tmp_path, said):
    waiting = Waiting("Permits", "a table", "minutes", "permits")
    draw_waiting(CURVES, waiting, tmp_path / "a.png")
    assert {
        "Minutes since the first time in the stage before", "CA > AS: 40 of 100 permits",
        "Minutes on a square-root scale.",
    } <= set(said)  # fmt: skip
    assert not [text for text in said if "people" in text or "ays" in text.split()[:1]]


def test_labels_of_transitions_with_the_same_beginning_differ(tmp_path, said):
    first = "T02 Check confirmation of receipt by the front office"
    seconds = [
        "T03 Adjust confirmation of receipt", "T03 Adjust confirmation of payment",
        "T03 Adjust confirmation of the letter",
    ]  # fmt: skip
    many = [curve(f"{first} > {second}", 9, (1, 2, 0)) for second in seconds]
    draw_waiting(pd.concat(many), Waiting("A log", "a table"), tmp_path / "a.png")
    labels = [text for text in dict.fromkeys(said) if text.startswith("T02") and ": " not in text]
    assert len(labels) == 3
    assert all(len(label) <= 30 for label in labels)


def test_curves_at_points_have_the_table_at_their_points(tmp_path, said):
    rows = pd.concat(
        [
            curve("A > B", 100, (0, 5, 0), (20, 20, 0), (90, 15, 10), (400, 0, 50)),
            curve("A > C", 30, (0, 0, 0), (20, 10, 0), (77, 20, 0)),
        ]
    )
    waiting = Waiting("A log", "a table", at_points=True)
    draw_waiting(rows, waiting, tmp_path / "a.png")
    ticks = [text for text in dict.fromkeys(said) if text in ("0", "20", "77", "90", "400", "7")]
    assert ticks == ["0", "20", "90", "400"]
    assert any("Straight lines join the points" in text for text in said)


def test_charts_of_stages_name_records_and_cases(tmp_path, said):
    check = Noun(one="check", many="checks")
    draw_single_stage(_picture(noun=check, cases="permits"), tmp_path / "a.png")
    draw_single_stage_areas(_picture(noun=check, cases="permits"), "ward", {}, tmp_path / "b.png")
    draw_outcomes(MATRIX, "A flow", "a table", tmp_path / "c.png", check)
    assert {
        "Permits in Contact and in no other stage", "Permits by number of checks",
        "How the one check ended", "permits",
    } <= set(said)  # fmt: skip
    assert any(text.startswith("100 permits; 64 of them have one check,") for text in said)
    assert any(text.startswith("Checks by category of outcome") for text in said)
    assert any(text.endswith("by the share of the team's checks") for text in said)
    assert not [text for text in said if "eople" in text or "ssessment" in text]
