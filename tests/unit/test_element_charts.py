"""Pictures of elements and regions: what they say, and the same picture for the same rows."""

from dataclasses import replace

import pandas as pd
import pytest
from pictures import texts_of
from PIL import Image
from shapely import box

from socare_spark.charts import comparison_charts, concentration_maps, region_charts, style
from socare_spark.charts.comparison_charts import Pair, draw_differences, draw_profiles
from socare_spark.charts.concentration_maps import Concentrations, draw_concentration
from socare_spark.charts.region_charts import RegionPicture, draw_regions
from socare_spark.contracts.nouns import Noun

AGREEMENT = Noun(one="agreement", many="agreements")
PAIR = Pair("AAA", "BBB", "a table")
DIFFERENCES = pd.DataFrame(
    [("B23", 1254, 564, -690, 1), ("B1", 0, 0, 0, 2), ("B24", 4, 20, 16, 3)],
    columns=["district", "count_a", "count_b", "difference", "rank"],
)
PROFILE = pd.DataFrame(
    [
        ("AAA", "sex", "F", 2999), ("AAA", "sex", "M", 1), ("BBB", "sex", "F", 5),
        ("BBB", "sex", None, 15), ("BBB", "client_group", "Older $\\frac$ Adult", 3),
        ("CCC", "sex", "X", 1000),
    ],
    columns=["element", "characteristic", "value", "people"],
)  # fmt: skip

REGION = [
    "region", "year", "age_band", "ethnicity", "people", "cost", "population", "per_1000",
]  # fmt: skip


@pytest.fixture
def said(monkeypatch):
    return texts_of(monkeypatch, comparison_charts, concentration_maps, region_charts)


def test_districts_are_ordered_by_rank_with_signed_differences(tmp_path, said):
    draw_differences(PAIR, DIFFERENCES[::-1], tmp_path / "a.png")
    assert style.EXACT in said
    assert "Source: a table" in said
    in_order = list(dict.fromkeys(said))
    assert [t for t in in_order if t in ("B23", "B1", "B24")] == ["B23", "B1", "B24"]
    assert [t for t in in_order if t in ("-690", "+0", "+16")] == ["-690", "+0", "+16"]


def test_profile_shows_only_the_two_elements_and_separates_none_from_few(tmp_path, said):
    draw_profiles(PAIR, PROFILE, ["sex", "client_group", "never"], tmp_path / "a.png")
    assert {"Sex", "Client group", "not recorded", "25.0%", "75.0%", "< 0.1%", "none"} <= set(said)
    assert "Never" not in said
    assert "X" not in said


def test_comparisons_are_drawn_alike_whatever_the_order_of_rows(tmp_path):
    def drawn(step):
        one = draw_differences(PAIR, DIFFERENCES[::step], tmp_path / "a.png").read_bytes()
        return one, draw_profiles(PAIR, PROFILE[::step], ["sex"], tmp_path / "b.png").read_bytes()

    assert drawn(1) == drawn(-1)


def test_one_district_and_empty_profiles_are_drawn(tmp_path):
    assert draw_differences(PAIR, DIFFERENCES[1:2], tmp_path / "a.png").is_file()
    assert draw_profiles(PAIR, PROFILE[:0], ["sex"], tmp_path / "b.png").is_file()


def region(name, population, years=(2010, 2011), classes=("P", "Q", "R", None)):
    """Rows of a region: 10 people in each class and year, 100 and 0.10 for each of them."""
    rows = []
    for year in (*years, None):
        for band in ("0-11", "65+", None):
            for kind in classes:
                people = 10 * (2 if band is None else 1) * (3 if kind is None else 1)
                rate = None if population is None else 1000 * people / population
                rows.append((name, year, band, kind, people, 1e6 * people, population, rate))
    return pd.DataFrame(rows, columns=REGION).astype({"per_1000": float, "population": float})


def picture(*frames, groups=None):
    rows = pd.concat(frames)
    names = list(dict.fromkeys(rows["region"]))
    return RegionPicture(rows, names, groups or {}, ["0-11", "65+"], "a table", AGREEMENT)


def test_region_panels_name_population_shares_and_groups(tmp_path, said):
    both = picture(region("North", 600), region("South", None), groups={"P": "G", "Q": "G"})
    draw_regions(both, tmp_path / "a.png")
    assert {"North", "South", style.EXACT, "Source: a table"} <= set(said)
    assert "60 people in all years, 10.0% of 600" in said
    assert "60 people in all years; population not known" in said
    assert {"G", "R", "66.7%", "33.3%"} <= set(said)
    assert {"0-11", "65+"} <= set(said)


def test_regions_name_the_records_and_an_unknown_cost(tmp_path, said):
    rows = region("North", 600)
    loan = Noun(one="loan", many="loans")
    shown = RegionPicture(rows, ["North"], {}, ["0-11", "65+"], "a table", loan)
    draw_regions(shown, tmp_path / "a.png")
    assert "Regions of interest: who has loans, and what they cost" in said
    assert "Age at the loan's start" in said
    assert "not known" not in said
    draw_regions(replace(shown, rows=rows.assign(cost=None)), tmp_path / "b.png")
    assert "not known" in said


def test_many_groups_are_drawn_as_the_largest_and_the_rest(tmp_path, said):
    draw_regions(picture(region("North", 600, classes=[*"ABCDEFGHIJKL", None])), tmp_path / "a.png")
    assert "all others" in said
    assert "H" not in said
    assert said.count("8.3%") == 7
    assert "41.7%" in said


def test_regions_are_drawn_alike_whatever_the_order_of_rows(tmp_path):
    rows = pd.concat([region("North", 600), region("South", 700)])
    one, two = (
        RegionPicture(rows[::step], ["North", "South"], {}, ["0-11", "65+"], "x", AGREEMENT)
        for step in (1, -1)
    )
    first = draw_regions(one, tmp_path / "a.png").read_bytes()
    assert draw_regions(two, tmp_path / "b.png").read_bytes() == first


DISTRICTS = ["B1", "B2", "B3", "B4"]
SHAPES = [box(1000 * i, 0, 1000 * i + 1000, 2000) for i in range(4)]


def concentrations(*rows, elements=("AAA",)):
    columns = ["district", "element", "share", "location_quotient"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return Concentrations(frame, elements, DISTRICTS, SHAPES, "what it shows", "a table")


def test_a_map_of_concentration_names_the_largest_shares(tmp_path, said):
    rows = [("B1", "AAA", 0.1, 0.4), ("B3", "AAA", 0.6, 2.0), ("B4", "AAA", 0.3, 1.0)]
    draw_concentration(concentrations(*rows, elements=("AAA", "BBB")), tmp_path / "a.png")
    assert {style.EXACT, "Source: a table", "AAA", "BBB"} <= set(said)
    assert "Largest shares: B3 60.0%, B4 30.0%, B1 10.0%" in said
    assert "nowhere" in said


def test_a_quotient_on_a_limit_is_in_the_class_that_begins_there(tmp_path):
    def colours(quotient):
        rows = [(code, "AAA", 0.1, quotient) for code in DISTRICTS]
        path = draw_concentration(concentrations(*rows), tmp_path / "a.png")
        with Image.open(path) as picture:
            return picture.getpixel((picture.width // 5, picture.height // 2))

    assert colours(2.0) == colours(9.0) != colours(1.99)
    assert colours(0.5) == colours(0.79) != colours(0.49)
    assert colours(0.8) == colours(1.24) != colours(1.25)
