"""What a flow file may say."""

import pytest
import yaml

from socare_spark.analyses.flow.settings import Flow, read_flows
from socare_spark.errors import ConfigurationError

LOG = {"dataset": "log", "case": "job", "time": "at", "activity": "what"}
MATRIX = {"dataset": "moves", "from": "a", "to": "b"}
STAGE = {"code": "CA", "name": "Contact", "records": {"dataset": "asm", "time": "start"}}


def _written(folder, **flows):
    (folder / "flows").mkdir()
    for name, flow in flows.items():
        (folder / "flows" / f"{name}.yaml").write_text(yaml.safe_dump(flow), "utf-8")
    return folder


def test_the_projects_own_flow_reads():
    from pathlib import Path

    flows = {flow.flow: flow for flow in read_flows(Path(__file__).parents[2] / "conf")}
    assert flows["adult_assessment"].codes == ["CA", "AS", "SP", "AG"]
    assert flows["adult_assessment"].datasets == {"adult_assessments", "agreements_adult"}


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        ({"stages": [STAGE], "log": LOG}, "exactly one of 'stages', 'log' and 'matrix'"),
        ({}, "exactly one of 'stages', 'log' and 'matrix'"),
        ({"stages": [STAGE, STAGE]}, "codes of stages must differ"),
        ({"stages": [STAGE | {"code": "assessed"}]}, "none may be 'assessed'"),
        # A column without what it should hold, and the other way round.
        ({"stages": [STAGE | {"records": STAGE["records"] | {"column": "grp"}}]}, "'column' goes"),
        ({"stages": [STAGE | {"records": STAGE["records"] | {"codes": ["X"]}}]}, "'column' goes"),
        ({"log": LOG | {"column": "grp"}}, "'column' goes"),
        ({"matrix": MATRIX | {"values": ["X"]}}, "'column' goes"),
        ({"log": LOG, "picture": {"smallest_share": 1}}, "less than 1"),
        ({"log": LOG, "stage": []}, "the key is not known"),
        ({"matrix": MATRIX, "log": LOG}, "exactly one of 'stages', 'log' and 'matrix'"),
        ({"matrix": MATRIX, "unit": "hours"}, "'unit' needs 'stages' or 'log'"),
        ({"matrix": MATRIX, "points": 9}, "'points' needs 'stages' or 'log'"),
        ({"matrix": MATRIX, "limits": {"variants": 9}}, "movements have no variants"),
        ({"matrix": {"dataset": "moves", "to": "b"}}, "matrix.from: the key is missing"),
        ({"log": LOG, "unit": "weeks"}, "'days', 'hours', 'minutes', 'seconds' or 'auto'"),
        ({"log": LOG, "points": [7, 0]}, "points: must be all, a number of points from 2 to 1,000"),
        ({"log": LOG, "points": [7, 7]}, "points: must be all"),
        ({"log": LOG, "points": [0, 0.5]}, "points: must be all"),
        ({"log": LOG, "points": []}, "points: must be all"),
        ({"log": LOG, "points": 1}, "points: must be all"),
        ({"log": LOG, "points": "some"}, "points: must be all"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused_with_its_file(tmp_path, flow, says):
    conf = _written(tmp_path, mine={"flow": "mine", "title": "Mine", **flow})
    with pytest.raises(ConfigurationError, match=f"mine.yaml.*{says}"):
        read_flows(conf)


def test_two_flows_may_not_share_a_name(tmp_path):
    flow = {"flow": "same", "title": "Same", "log": LOG}
    with pytest.raises(ConfigurationError, match="more than one file has flow: same"):
        read_flows(_written(tmp_path, one=flow, two=flow))


def test_folder_without_flows_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="has no flow"):
        read_flows(tmp_path)


def test_datasets_of_a_log_are_its_own():
    flow = Flow.model_validate({"flow": "mine", "title": "Mine", "log": LOG})
    assert (flow.codes, flow.datasets) == ([], {"log"})


@pytest.mark.parametrize(
    ("kind", "points", "many"),
    [
        ({"stages": [STAGE]}, "all", "people"),
        ({"log": LOG}, 40, "cases"),
        ({"log": LOG | {"case": "person"}}, 40, "people"),
        ({"log": LOG, "points": "all"}, "all", "cases"),
        ({"log": LOG, "points": [0, 7]}, (0, 7), "cases"),
        ({"log": LOG, "noun": {"one": "permit", "many": "permits"}}, 40, "permits"),
        ({"matrix": MATRIX}, "all", "movements"),
    ],
)
def test_points_and_nouns_have_defaults_by_kind_of_flow(kind, points, many):
    flow = Flow.model_validate({"flow": "mine", "title": "Mine", **kind})
    assert (flow.curve_points, flow.nouns.many) == (points, many)


@pytest.mark.parametrize(
    ("kind", "unit"),
    [
        ({"stages": [STAGE]}, "days"),
        ({"stages": [STAGE], "unit": "auto"}, "auto"),
        ({"log": LOG}, "auto"),
        ({"log": LOG, "points": 9}, "auto"),
        ({"log": LOG, "unit": "days"}, "days"),
        # The list is in a unit that the file does not name.
        ({"log": LOG, "points": [0, 7]}, "days"),
    ],
)
def test_durations_of_a_log_have_a_unit_that_fits(kind, unit):
    flow = Flow.model_validate({"flow": "mine", "title": "Mine", **kind})
    assert flow.unit_of_durations == unit


def test_columns_of_a_matrix_are_needed():
    selection = {"column": "kind", "values": ["van"]}
    matrix = MATRIX | selection | {"time": "day", "count": "items", "case": "person"}
    flow = Flow.model_validate({"flow": "mine", "title": "Mine", "matrix": matrix})
    assert flow.tables == ["restricted/moves"]
    assert [need.column for need in flow.needs] == ["a", "b", "day", "items", "person", "kind"]
    keys = [(need.assigned.key, need.assigned.file) for need in flow.needs]
    assert keys[:2] == [("matrix.from", "flows/mine.yaml"), ("matrix.to", "flows/mine.yaml")]
