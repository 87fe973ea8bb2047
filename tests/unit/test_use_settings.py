"""What the file of the `use` analysis may say."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from socare_spark.analyses.use.settings import SETTINGS, UseSettings
from socare_spark.config import read_model
from socare_spark.errors import ConfigurationError

CONF = Path(__file__).parents[2] / "conf"


def changed(folder, *path, to):
    """The project's file with one value changed."""
    settings = yaml.safe_load((CONF / SETTINGS).read_text("utf-8"))
    place = settings
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    (folder / "use.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return read_model(folder / "use.yaml", UseSettings)


def test_threshold_target_is_read_from_the_named_programme(tmp_path):
    assert read_model(CONF / SETTINGS, UseSettings).threshold_target == Decimal(1_500_000)
    target = {"programme": "enablement", "year": "2019/20"}
    other = changed(tmp_path, "threshold", "target", to=target)
    assert other.threshold_target == Decimal(3_700_000)
    assert changed(tmp_path, "threshold", "target", to=None).threshold_target is None


@pytest.mark.parametrize(
    ("path", "to", "says"),
    [
        (("last_year",), 2009, "'last_year' must not be before"),
        (("quarters", "last"), "2009Q4", "'last' must not be before"),
        (("quarters", "first"), "2010", "quarters.first: String should match"),
        (("quarters", "pairs"), [["2010Q1", "2010Q1"]], "two different quarters"),
        (("quarters", "pairs"), "some", "quarters.pairs"),
        (("quarters", "elements"), [], "quarters.elements"),
        (("trend", "last"), "2009Q4", "'last' must not be before"),
        (("programmes", "transport"), {}, "needs elements or services"),
        (("programmes", "transport", "savings", "base_year"), "2016/17", "after the base year"),
        (
            ("programmes", "transport", "savings", "targets"),
            {"2016/18": 1},
            "with the next year",
        ),
        (("programmes", "transport", "savings", "net_spend"), 0, "greater than 0"),
        (("threshold", "target", "programme"), "meals", "names meals 2016/17, for which"),
        (("threshold", "target", "year"), "2020/21", "has no saving"),
        (("threshold", "weeks"), 0, "threshold.weeks"),
        (("split", "services"), [], "split.services"),
    ],
)
def test_invalid_setting_is_refused_by_its_key(tmp_path, path, to, says):
    with pytest.raises(ConfigurationError, match=says):
        changed(tmp_path, *path, to=to)


def test_all_pairs_may_be_asked_for(tmp_path):
    assert changed(tmp_path, "quarters", "pairs", to="all").quarters.pairs == "all"
