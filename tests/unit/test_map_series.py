"""Maps side by side: one legend, the same shades, and the surroundings of one area."""

import numpy as np
import pytest
import shapely
from matplotlib.colors import to_hex

from socare_spark.charts import map_series, style
from socare_spark.charts.area_style import shaded
from socare_spark.charts.map_series import Frames, draw_frames
from socare_spark.charts.style import EMPTY

SQUARES = [shapely.box(1000 * i, 0, 1000 * i + 1000, 2000) for i in range(4)]
VALUES = np.array([[0, 1, 2, 9], [1, 1, 0, 4], [0, 0, 0, 0]], float)
FRAMES = Frames(
    "A title", "what it shows", "a source", SQUARES, ["2009", "2010", "2011"], VALUES,
    shapely.union_all(SQUARES),
)  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved."""
    figures = []
    save = style.save

    def keep(figure, path):
        figures.append(figure)
        return save(figure, path)

    monkeypatch.setattr(map_series, "save", keep)
    return figures


def texts(figure):
    return [t.get_text() for t in figure.texts]


def maps(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_every_year_is_a_frame_under_one_legend(tmp_path, drawn):
    draw_frames(FRAMES, "People", tmp_path / "a.png")
    (figure,) = drawn
    assert [axes.get_title() for axes in maps(figure)] == ["2009", "2010", "2011"]
    assert {style.EXACT, "Source: a source"} <= set(texts(figure))
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "People"
    assert legend.get_texts()[-1].get_text() == "nobody"


def test_a_value_has_one_shade_in_every_frame(tmp_path, drawn):
    draw_frames(FRAMES, "People", tmp_path / "a.png")
    first, second, third = (axes.collections for axes in maps(drawn[0]))
    one = shaded(VALUES.ravel()).fills[1]
    assert to_hex(first[0].get_facecolors()[0]) == one  # the second square of 2009
    assert [to_hex(c) for c in second[0].get_facecolors()[:2]] == [one, one]
    assert {to_hex(c).upper() for c in third[1].get_facecolors()} == {EMPTY}
    assert third[1].get_hatch()


def test_surroundings_extend_to_the_configured_distance(tmp_path, drawn):
    middle = Frames(**{**vars(FRAMES), "middle": SQUARES[1], "reach": 700.0})
    draw_frames(middle, "People", tmp_path / "a.png")
    for axes in maps(drawn[0]):
        assert axes.get_xlim() == (800, 2200)
        assert axes.get_ylim() == (300, 1700)


def test_the_same_frames_are_the_same_bytes(tmp_path):
    one = draw_frames(FRAMES, "People", tmp_path / "one.png").read_bytes()
    assert draw_frames(FRAMES, "People", tmp_path / "two.png").read_bytes() == one


def test_years_without_people_are_drawn(tmp_path, drawn):
    empty = Frames(**{**vars(FRAMES), "values": np.zeros((3, 4))})
    draw_frames(empty, "People", tmp_path / "a.png")
    assert [t.get_text() for t in drawn[0].legends[0].get_texts()] == ["nobody"]
