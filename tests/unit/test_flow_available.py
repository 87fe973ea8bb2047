"""Flows that can be followed: faults against contracts, missing tables and missing columns."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from socare_spark.analyses.flow.available import available_flows, required_tables
from socare_spark.analyses.flow.settings import Settings, read_flows
from socare_spark.configuration.check import check_configuration
from socare_spark.errors import ConfigurationError, MissingInputError

CONF = Path(__file__).parents[2] / "conf"
TIME = "matrix.time names the column date_transited, which is "
UTC = "a local time in UTC, so that its day can be another one: declare socare.day in conf/datasets"
LIBRARIES = {
    "flow": "libraries", "title": "Libraries",
    "matrix": {"dataset": "transits", "from": "from_library", "to": "to_library"},
}  # fmt: skip


@pytest.fixture
def conf(tmp_path):
    """The example of a matrix, to be changed."""
    shutil.copytree(CONF / "examples" / "library_transits", tmp_path, dirs_exist_ok=True)
    return tmp_path


def keeps(conf, name, **keys):
    """Changes a column of the contract, or adds it."""
    path = conf / "datasets" / "transits.yaml"
    contract = yaml.safe_load(path.read_text("utf-8"))
    fields = contract["schema"]["fields"]
    others = [field for field in fields if field["name"] != name]
    contract["schema"]["fields"] = [*others, {"name": name, **keys}]
    path.write_text(yaml.safe_dump(contract), "utf-8")


def change(conf, **keys):
    """Changes keys of the matrix."""
    path = conf / "flows" / "transits.yaml"
    flow = yaml.safe_load(path.read_text("utf-8"))
    flow["matrix"] |= keys
    path.write_text(yaml.safe_dump(flow), "utf-8")


def lake(conf, *tables, missing=()):
    """Inputs with some tables, which lack some columns."""
    return SimpleNamespace(
        conf=conf,
        exists={f"restricted/{table}" for table in tables}.__contains__,
        has_column=lambda _, column, __: column not in {*missing, "snapshot"},
        missing=lambda needs: [need for need in needs if need.column in missing],
    )


def test_a_day_of_movements_is_not_a_local_time_in_utc(conf):
    local = {"keep": "as_is", "zone": "Europe/London"}
    keeps(conf, "date_transited", type="datetime", socare=local)
    says = f"conf/flows/transits.yaml: {TIME}{UTC}/transits.yaml, and name that column."
    assert check_configuration(conf).faults == [says]
    flows = read_flows(conf)
    with pytest.raises(ConfigurationError, match=r"transits is left out: .* declare socare\.day"):
        available_flows(lake(conf, "transits"), flows)
    keeps(conf, "date_transited", type="datetime", socare=local | {"day": "day_transited"})
    change(conf, time="day_transited")
    assert check_configuration(conf).faults == []
    assert available_flows(lake(conf, "transits"), read_flows(conf))[1] == []


def test_a_count_of_movements_is_an_integer_and_one_fault_does_not_stop_other_flows(conf):
    keeps(conf, "items", type="number", socare={"keep": "as_is"})
    change(conf, count="items")
    (conf / "flows" / "libraries.yaml").write_text(yaml.safe_dump(LIBRARIES), "utf-8")
    says = (
        "conf/flows/transits.yaml: matrix.count names the column items, which is of the type "
        "number in conf/datasets/transits.yaml; it must be an integer."
    )
    assert check_configuration(conf).faults == [says]
    flows, warnings = available_flows(lake(conf, "transits"), read_flows(conf))
    assert [flow.flow for flow in flows] == ["libraries"]
    assert warnings == [f"Flow transits is left out: {says}"]
    keeps(conf, "items", type="integer", socare={"keep": "as_is"})
    assert check_configuration(conf).faults == []


def test_lengths_of_a_single_stage_are_in_days_of_local_time(tmp_path):
    shutil.copytree(CONF, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "datasets" / "adult_assessments.yaml"
    contract = yaml.safe_load(path.read_text("utf-8"))
    end = next(f for f in contract["schema"]["fields"] if f["name"] == "ASSESSMENT_END")
    for key in ("date_order", "not_after_extract"):
        del contract["socare"][key]
    end.pop("format", None)
    end |= {"type": "datetime", "socare": {"keep": "as_is", "zone": "Europe/London"}}
    path.write_text(yaml.safe_dump(contract), "utf-8")
    (fault,) = check_configuration(tmp_path).faults
    assert fault.startswith(
        "conf/flows/adult_assessment.yaml: single_stage.end names the column assessment_end, which "
        "is a local time in UTC"
    )


def test_missing_columns_are_named_once_with_their_setting(conf):
    with pytest.raises(MissingInputError) as error:
        available_flows(lake(conf, "transits", missing=["to_authority"]), read_flows(conf))
    assert str(error.value) == (
        "Flow transits is left out: it needs the column to_authority of restricted/transits, to be "
        "kept in conf/datasets/transits.yaml or replaced under matrix.to in "
        "conf/flows/transits.yaml."
    )
    tables = ("adult_assessments", "agreements_adult")
    with pytest.raises(MissingInputError) as error:
        available_flows(lake(CONF, *tables, missing=["assessment_start"]), read_flows(CONF))
    assert str(error.value).count("assessment_start") == 1
    assert "under stages.0.records.time in conf/flows/adult_assessment.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("part", "says"),
    [("outcomes", "outcomes"), ("assessed", "assessed and its rows of working/stage_completion")],
)
def test_a_flow_without_the_dataset_of_a_part_has_its_other_tables(conf, part, says):
    path = conf / "flows" / "transits.yaml"
    flow = yaml.safe_load((CONF / "flows" / "adult_assessment.yaml").read_text("utf-8"))
    flow[part]["dataset"] = "decisions"
    path.write_text(yaml.safe_dump(flow), "utf-8")
    flows = read_flows(conf)
    inputs = lake(conf, "adult_assessments", "agreements_adult")
    available, warnings = available_flows(inputs, flows)
    assert [getattr(flow, part) for flow in available] == [None]
    assert warnings == [
        f"Flow adult_assessment is followed without its {says}: the lake does not have "
        f"restricted/decisions, which {part} in conf/flows/transits.yaml names."
    ]
    required = required_tables(inputs, Settings(tuple(flows), {}, {}))
    assert required == ["restricted/adult_assessments", "restricted/agreements_adult"]
