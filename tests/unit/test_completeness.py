"""Months that are cut from the end of a source."""

from datetime import date
from types import SimpleNamespace

import pytest
import yaml

from socare_spark.analyses import completeness
from socare_spark.analyses.completeness import complete_until, months_before


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2015, 12, 31), 12, date(2014, 12, 31)),
        (date(2015, 12, 31), 0, date(2015, 12, 31)),
        (date(2015, 6, 30), 3, date(2015, 3, 31)),  # the last day of a month
        (date(2016, 2, 29), 12, date(2015, 2, 28)),
        (date(2016, 3, 30), 1, date(2016, 2, 28)),
        (date(2016, 2, 10), 3, date(2015, 11, 10)),
    ],
)
def test_months_before_a_day(day, months, expected):
    assert months_before(day, months) == expected


def test_a_declaration_without_effect_is_reported(tmp_path, monkeypatch):
    settings = {
        "horizon": 2, "shortest": 20, "origins": 1, "least_people": 10, "agreements": "costed",
        "requests": {"dataset": "requests"},
        "incomplete_months": {"costed": 6, "cosetd": 6, "closed": 12, "requests": 3},
    }  # fmt: skip
    for folder in ("analyses", "datasets"):
        (tmp_path / folder).mkdir()
    (tmp_path / "analyses" / "forecast.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "datasets" / "closed.yaml").touch()
    (tmp_path / "datasets" / "requests.yaml").touch()
    for name in ("last_day", "newest_extract"):
        monkeypatch.setattr(completeness, name, lambda *_: date(2015, 12, 31))
    inputs = SimpleNamespace(conf=tmp_path, exists="restricted/costed".__eq__)
    until, warnings = complete_until(inputs, "costed")
    assert until == date(2015, 6, 30)
    said = [warning.partition(":")[0] for warning in warnings]
    assert said == [
        f"analyses/forecast.yaml names {name} in incomplete_months, without effect"
        for name in ("cosetd", "requests")
    ]
