"""What a picture of a flow shows, and that it is the same picture every time."""

import pandas as pd
import pytest

from socare_spark.charts.flow_graph import draw_graph
from socare_spark.charts.flow_graph_layout import (
    END,
    START,
    Arrow,
    Drawn,
    arrows,
    duration,
    in_order,
    kept,
)

EDGES = pd.DataFrame(
    [
        ("A", "B", 90, 3.0), ("B", "C", 80, 0.2), ("C", "B", 9, 40.0), ("B", "B", 5, 0.0),
        ("A", "C", 1, 2.5),
    ],
    columns=["from_activity", "to_activity", "transitions", "median_days"],
)  # fmt: skip
ENDS = pd.DataFrame(
    [("start", "A", 100), ("end", "C", 95), ("end", "A", 5)], columns=["kind", "activity", "people"]
)


def _drawn(order=(), smallest_share=0.0, edges=EDGES):
    return Drawn(
        title="A flow",
        edges=edges,
        ends=ENDS,
        people={"A": 100, "B": 90, "C": 81},
        names={"A": "First"},
        order=order,
        smallest_share=smallest_share,
    )


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0.0, "0 d"),  # the same day
        (1 / 1440, "1 min"),
        (0.5, "12 h"),
        (1.0, "1 d"),
        (2.5, "2.5 d"),
        (18.5, "18.5 d"),
        (102.5, "102 d"),  # halves of long times do not matter
        (365.0, "365 d"),
    ],
)
def test_durations_are_written_in_minutes_hours_or_days(days, text):
    assert duration(days) == text


def test_activities_are_in_their_most_frequent_order():
    shuffled = EDGES.sample(frac=1, random_state=1)
    assert in_order(arrows(_drawn()), []) == [START, "A", "B", "C", END]
    assert in_order(arrows(_drawn(edges=shuffled)), []) == [START, "A", "B", "C", END]


def test_declared_stages_keep_their_order():
    assert in_order(arrows(_drawn()), ["C", "B", "X", "A"]) == [START, "C", "B", "A", END]


def test_rare_arrows_are_left_out_by_share_of_transitions_or_of_cases():
    found = arrows(_drawn())
    # 185 transitions, 100 cases: a share of 0.05 keeps 9.25 and 5 and more.
    gone = set(found) - set(kept(found, 0.05))
    assert gone == {
        Arrow("C", "B", 9, 40.0), Arrow("B", "B", 5, 0.0), Arrow("A", "C", 1, 2.5),
    }  # fmt: skip


def test_a_picture_is_drawn_alike_each_time_whatever_the_order_of_rows(tmp_path):
    one = draw_graph(_drawn(), tmp_path / "one.png").read_bytes()
    two = draw_graph(_drawn(edges=EDGES[::-1]), tmp_path / "two.png").read_bytes()
    assert one == two
    assert one.startswith(b"\x89PNG")


def test_an_empty_flow_has_a_picture_too(tmp_path):
    nothing = Drawn("Nothing", EDGES[:0], ENDS[:0], {}, {}, [], 0.005)
    assert draw_graph(nothing, tmp_path / "nothing.png").is_file()
