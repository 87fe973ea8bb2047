"""What counts as the past of a series, and what is made of it."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from socare_spark.analyses.forecast.history import MEASURES, histories
from socare_spark.analyses.forecast.job import FORECAST, FORECAST_BACKTEST, forecasts
from socare_spark.analyses.forecast.needs import source_tables
from socare_spark.analyses.forecast.settings import (
    ForecastSettings,
    RequestSettings,
    load_settings,
)
from socare_spark.analyses.forecast.sources import (
    chosen_descriptions,
    element_quarters,
    unknown_descriptions,
)
from socare_spark.errors import ConfigurationError
from socare_spark.measures.periods import whole_quarters
from socare_spark.measures.time_series import forecast

CONF = Path(__file__).resolve().parents[2] / "conf"
SIX_YEARS = whole_quarters(date(2010, 1, 1), date(2015, 12, 31))
SETTINGS = ForecastSettings(
    horizon=4,
    shortest=20,
    origins=2,
    least_people=10,
    agreements="agreements",
    requests=RequestSettings(dataset="requests"),
)


def row(counted, period, records, people=None, cost=None, unnamed=0):
    people = records if people is None else people
    return {
        "counted": counted, "period": period, "people": people, "records": records, "cost": cost,
        "cost_top1": None, "cost_top2": None, "providers": None, "unnamed": unnamed,
    }  # fmt: skip


def of_rows(rows, *arguments):
    counted = pd.DataFrame(rows, columns=["counted", "period", *MEASURES, "unnamed"])
    return list(histories(counted, *arguments))


def series(rows, measures=("records",), periods=("2010Q1", "2010Q2", "2010Q3", "2010Q4")):
    return of_rows(rows, {"A": "A"}, measures, periods)


@pytest.mark.parametrize(
    ("records", "periods", "values"),
    [
        ({"2010Q1": 3, "2010Q3": 2}, 4, [3, 0, 2, 0]),  # a quarter without records has none
        ({"2010Q2": 1, "2010Q3": 2}, 2, [2, 0]),  # it began within the second quarter
        ({"2010Q4": 9}, 0, []),
        ({}, 0, []),
        ({"2009Q4": 9, "2010Q1": 1, "2011Q1": 9}, 4, [1, 0, 0, 0]),  # not whole quarters
    ],
)
def test_a_series_begins_where_it_is_whole(records, periods, values):
    (made,) = series([row("A", period, number) for period, number in records.items()])
    assert made.values == values
    assert made.periods == ("2010Q1", "2010Q2", "2010Q3", "2010Q4")[4 - periods :]


def test_each_measure_is_a_series_of_the_same_quarters():
    rows = [row("A", "2010Q2", 1), row("A", "2010Q3", 4, people=3, cost=Decimal("7.50"))]
    people, cost = series(rows, ("people", "cost"))
    assert (people.series, people.values) == ("A, people", [3.0, 0.0])
    assert (cost.series, cost.values) == ("A, cost", [7.5, 0.0])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row("A", "2010Q1", 40)], ""),  # ten in each of four quarters
        ([row("A", "2010Q1", 39)], "fewer than 10 people"),
        ([row("A", "2010Q1", 999, people=39)], "fewer than 10 people"),  # one often
        ([row("A", "2010Q1", 40, people=9, unnamed=31)], ""),  # who is not named is somebody
        ([], "nothing was counted"),
    ],
)
def test_a_series_of_few_people_is_left_out(rows, reason):
    (made,) = series(rows)
    left_out = made.exclusion_reason(10)
    assert reason in left_out
    assert bool(left_out) == bool(reason)


def past(counted, number, level=50):
    rows = [
        row(counted, period, level + 3 * (at % 4) + at % 3, cost=Decimal(at))
        for at, period in enumerate(SIX_YEARS[:number])
    ]
    return of_rows(rows, {counted: f"called {counted}"}, ["records"], SIX_YEARS[:number])


def test_forecast_table_holds_history_followed_by_forecast():
    frame, tried, lines = forecasts(past("A", 24), SETTINGS)
    expected = forecast(past("A", 24)[0].values, horizon=4, origins=2)
    assert lines == []
    assert [*frame.columns] == FORECAST.names
    assert set(frame["series"]) == {"A, records"}
    assert set(frame["method"]) == {expected.method}
    history, ahead = frame[:24], frame[24:]
    assert list(history["period"]) == SIX_YEARS
    assert list(history["actual"]) == past("A", 24)[0].values == list(history["records"])
    assert list(history["cost"]) == [Decimal(at) for at in range(24)]
    assert history["forecast"].isna().all()
    assert list(ahead["period"]) == ["2016Q1", "2016Q2", "2016Q3", "2016Q4"]
    for name in ("forecast", "lower_80", "upper_80", "lower_95", "upper_95"):
        assert tuple(ahead[name]) == getattr(expected, name)
    for name in ("actual", "people", "records", "cost", "providers"):
        assert ahead[name].isna().all()
    assert len(tried) == 3 * 4
    assert set(tried.loc[tried["chosen"].astype(bool), "method"]) == {expected.method}
    assert [*tried.columns] == FORECAST_BACKTEST.names
    rows = tried.itertuples(index=False, name=None)
    for made, trial in zip(rows, expected.backtests, strict=True):
        assert made[1:] == (
            trial.horizon, trial.method, trial.origins, trial.mase,
            trial.coverage_80, trial.coverage_95, trial.chosen,
        )  # fmt: skip


def test_incomplete_quarters_are_not_used_for_forecasts():
    """277, 277, 248, 174 of closed agreements is no fall."""
    rows = [row("A", period, 277) for period in SIX_YEARS[:-2]]
    rows += [row("A", "2015Q3", 248), row("A", "2015Q4", 174)]
    (cut,) = of_rows(rows, {"A": "A"}, ["records"], SIX_YEARS, SIX_YEARS[:-2])
    counted, tried, _ = forecasts([cut], SETTINGS)
    frame = counted.set_index("period")
    late = frame.loc[["2015Q3", "2015Q4"]]
    assert list(late["actual"]) == list(late["records"]) == [248, 174]
    assert list(frame["complete"][:24]) == [True] * 22 + [False] * 2
    ahead = frame.loc["2015Q3":"2016Q4"]
    assert list(ahead["forecast"]) == [277] * 6
    assert frame.loc["2016Q1":, "complete"].isna().all()
    assert frame.loc[:"2015Q2", "forecast"].isna().all()
    assert {*tried["horizon"]} == {1, 2, 3, 4}
    # Of too few complete quarters the past is shown whole.
    (short,) = of_rows(rows, {"A": "A"}, ["records"], SIX_YEARS, SIX_YEARS[:19])
    frame, _, lines = forecasts([short], SETTINGS)
    assert (len(frame), frame["forecast"].notna().sum()) == (24, 0)
    assert "it has 19 periods, and a forecast needs 20" in lines[0]


def test_short_series_is_shown_and_series_of_few_people_is_left_out():
    short, few = past("A", 19), past("B", 24, level=2) + past("C", 24, level=2)
    frame, tried, lines = forecasts([*short, *few], SETTINGS)
    assert set(frame["series"]) == {"A, records"}
    assert len(frame) == 19
    assert frame["method"].isna().all()
    assert frame["actual"].notna().all()
    assert tried.empty
    assert lines == [
        "working/forecast has only the past of called A, records: it has 19 periods, and a "
        "forecast needs 20.",
        "working/forecast leaves out called B, records; called C, records: there are fewer than 10 "
        "people in a quarter, on average.",
    ]


def test_descriptions_by_hand_and_by_rank():
    described = pd.DataFrame(
        [("bins", 5), ("trees", 9), ("ants", 5), ("pests", 1)],
        columns=["service_description", "records"],
    )
    wanted = RequestSettings(dataset="requests", descriptions=("pests", "trees", "mice"), top=3)
    assert chosen_descriptions(described, wanted) == {
        "trees": "trees",  # chosen by hand, so it may be named
        "ants": "the description of rank 2",
        "bins": "the description of rank 3",
        "pests": "pests",
    }
    alone = RequestSettings(dataset="requests", descriptions=("bins",))
    assert chosen_descriptions(described, alone) == {"bins": "bins"}


def test_the_study_forecasts_respite_and_enablement_and_the_most_asked():
    settings = load_settings(CONF)
    assert settings.elements == ("CHIRDRT", "LDIHSENB", "OAIHSENB", "PDIHSENB")
    assert settings.requests.top == settings.least_people == 10


def test_elements_are_counted_by_quarter_with_people():
    users = pd.DataFrame(
        [("A", "2010Q1", 5, None), ("B", "2010Q1", 9, Decimal(7)), ("A", "2010Q2", 4, Decimal(3))],
        columns=["element", "quarter", "people", "cost"],
    )
    made = element_quarters(users, ["A", "NONE"])
    assert [*made["period"]] == ["2010Q1", "2010Q2"]
    assert {*made["counted"]} == {"A"}
    assert {*made["unnamed"]} == {0}


COUNCIL = {"horizon": 4, "shortest": 20, "origins": 2, "least_people": 10}
REQUESTS_ALONE, ELEMENTS_ALONE = {"requests": {"dataset": "requests"}}, {"elements": ["A"]}


@pytest.fixture
def configured(tmp_path):
    """Loads settings beside those of `use` for a dataset."""

    def load(used=None, **own):
        (tmp_path / "analyses").mkdir(exist_ok=True)
        (tmp_path / "analyses" / "forecast.yaml").write_text(yaml.safe_dump(COUNCIL | own))
        if used:
            settings = yaml.safe_load((CONF / "analyses" / "use.yaml").read_text("utf-8"))
            use = yaml.safe_dump(settings | {"dataset": used})
            (tmp_path / "analyses" / "use.yaml").write_text(use)
        return load_settings(tmp_path)

    return load


def test_a_council_can_have_elements_or_requests_alone(configured):
    alone = configured(**REQUESTS_ALONE)
    assert (alone.undeclared, source_tables(alone)) == (["elements"], {})
    alone = configured("adult", **ELEMENTS_ALONE)
    assert alone.undeclared == ["requests"]
    assert source_tables(alone) == {
        "elements": ["working/users_by_quarter", "restricted/adult"],
    }
    with pytest.raises(ConfigurationError, match="needs 'elements', 'requests', or both"):
        configured()


def test_the_agreements_are_those_that_use_counts(configured):
    assert configured(agreements="adult", **ELEMENTS_ALONE).agreements == "adult"
    with pytest.raises(ConfigurationError, match="'elements' are counted by the analysis use"):
        configured(**ELEMENTS_ALONE)
    assert configured("costed", **ELEMENTS_ALONE).agreements == "costed"
    assert configured("costed", agreements="costed", **ELEMENTS_ALONE).agreements == "costed"
    mismatch = "agreements is adult, but conf/analyses/use.yaml counts .* the dataset costed"
    with pytest.raises(ConfigurationError, match=mismatch):
        configured("costed", agreements="adult", **ELEMENTS_ALONE)
    # Without elements the key has no effect.
    assert configured("costed", agreements="adult", **REQUESTS_ALONE).elements == ()


def test_only_common_descriptions_are_quoted():
    described = pd.DataFrame(
        [("pests", 10), ("pes", 9), ("bins", 99)], columns=["service_description", "records"]
    )
    wanted = RequestSettings(dataset="requests", descriptions=("pest", "bins"))
    assert unknown_descriptions(described, wanted) == [
        "analyses/forecast.yaml names the description pest, which no record has; the nearest are "
        "pests."
    ]
