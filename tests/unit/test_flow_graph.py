"""What a picture of a flow shows, and that it is the same picture every time."""

from dataclasses import replace
from itertools import combinations, pairwise

import pandas as pd
import pytest
from pictures import texts_of
from PIL import Image

from socare_spark.charts import flow_graph
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
    touched,
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


@pytest.fixture
def said(monkeypatch):
    return texts_of(monkeypatch, flow_graph)


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
        (2 / 86_400, "2 s"),
        (1 / 1440, "1 min"),
        (0.5, "12 h"),
        (1.0, "1 d"),
        (2.5, "2.5 d"),
        (18.5, "18.5 d"),
        (102.5, "102 d"),  # halves of long times do not matter
        (365.0, "365 d"),
    ],
)
def test_durations_are_written_in_a_unit_that_fits(days, text):
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


def _log(activities):
    """A log whose activities follow each other in a ring, and by leaps, in both directions."""
    names = [f"Activity {number:02}" for number in range(activities)]
    rows = [
        (tail, names[(place + leap) % activities], 1000 - 10 * place - leap, 0.5)
        for place, tail in enumerate(names)
        for leap in (1, 2, 3, 5, activities - 2)
    ]
    edges = pd.DataFrame(rows, columns=EDGES.columns)
    ends = pd.DataFrame([("start", names[0], 900), ("end", names[-1], 900)], columns=ENDS.columns)
    return Drawn("A log", edges, ends, {}, {}, [], 0.0, 20, 40, 123, "permits")


def test_a_large_flow_is_drawn_within_its_limits_and_the_picture_says_so(tmp_path, said):
    log = _log(53)
    with Image.open(draw_graph(log, tmp_path / "a.png")) as picture:
        assert max(picture.size) < 3000
    found = arrows(log)
    shown = kept(found, 0.0, 20, 40)
    assert len(shown) == 40
    assert len(touched(shown) - {START, END}) <= 20
    assert shown == sorted(shown, key=lambda arrow: -arrow.times)
    text = " ".join(reversed(said))  # lines of the note come from the lowest to the highest
    boxes = [t for t in said if t.startswith("Activity")]
    assert f"Drawn: {len(boxes)} of 53 activities and 40 of 267 arrows" in text
    steps = sum(a.times for a in found) + 123
    gone = steps - sum(a.times for a in shown)
    assert f"Left out: {gone:,} of {steps:,} steps, 123 of them pooled." in text


def test_labels_of_arrows_with_the_same_middle_do_not_overlap(tmp_path, monkeypatch):
    rectangles = []
    draw = flow_graph._draw_arrow

    def listen(axes, layout, arrow, taken):
        draw(axes, layout, arrow, taken)
        rectangles[:] = taken

    monkeypatch.setattr(flow_graph, "_draw_arrow", listen)
    names = [f"Activity {number:02}" for number in range(17)]
    steps = [(tail, head, 100_000, 0.5) for tail, head in pairwise(names)]
    leaps = [(names[8 - half], names[8 + half], 1000 + half, 0.5) for half in range(1, 9)]
    edges = pd.DataFrame(steps + leaps, columns=EDGES.columns)
    draw_graph(replace(_drawn(names, edges=edges), ends=ENDS[:0]), tmp_path / "a.png")
    assert len(rectangles) == len(leaps)
    assert not [pair for pair in combinations(rectangles, 2) if flow_graph._overlap(*pair)]


def test_boxes_name_the_cases(tmp_path, said):
    draw_graph(replace(_drawn(), cases="permits"), tmp_path / "a.png")
    assert {"100 permits", "90 permits", "81 permits"} <= set(said)
    assert any("median days between" in text for text in said)
    said.clear()
    draw_graph(replace(_drawn(), unit="minutes"), tmp_path / "a.png")
    assert any("median time between" in text for text in said)
