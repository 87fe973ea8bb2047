"""Services are declared: what cannot be right is said before anything is read."""

import shutil
from pathlib import Path

import pytest
import yaml

from socare_spark.analyses.cross_service.settings import load_settings
from socare_spark.errors import ConfigurationError

CONF = Path(__file__).resolve().parents[2] / "conf"
REQUESTS = {"dataset": "requests", "date": "request_date"}


@pytest.fixture
def conf(tmp_path):
    """The shipped configuration, to be changed."""
    for name in ("datasets", "analyses"):
        shutil.copytree(CONF / name, tmp_path / name)
    shutil.copy(CONF / "project.yaml", tmp_path)
    return tmp_path


def change(conf, **values):
    path = conf / "analyses" / "cross_service.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def test_shipped_settings_match_the_shipped_contracts(conf):
    declared = load_settings(conf)
    assert declared.unknown == []
    assert declared.settings.names == ["social_care", "crm", "housing"]
    assert set(declared.schemes) == {"carefirst", "tenant"}
    assert declared.schemes["carefirst"] == 0
    of_crm = next(s for s in declared.sources if s.records.dataset == "requests")
    of_homes = next(s for s in declared.sources if s.records.dataset == "tenancies")
    assert (of_crm.service, of_crm.scheme) == (1, "carefirst")
    assert (of_homes.service, of_homes.scheme) == (2, "tenant")
    (walk,) = declared.crosswalks
    assert (walk.columns, walk.schemes) == (("person", "tenant"), ("carefirst", "tenant"))


def test_new_scheme_does_not_renumber_the_others(conf):
    before = load_settings(conf).schemes["tenant"]
    project = yaml.safe_load((conf / "project.yaml").read_text())
    project["schemes"]["a_pass"] = {"person": True}
    (conf / "project.yaml").write_text(yaml.safe_dump(project))
    contract = yaml.safe_load((conf / "datasets" / "tenancies.yaml").read_text())
    contract["name"] = "passes"
    contract["schema"]["fields"][1]["socare"]["pseudonymise"] = "a_pass"
    (conf / "datasets" / "passes.yaml").write_text(yaml.safe_dump(contract))
    services = yaml.safe_load((conf / "analyses" / "cross_service.yaml").read_text())["services"]
    passes = {"name": "leisure", "records": [{"dataset": "passes", "date": "tenancy_start"}]}
    change(conf, services=[passes, *services])
    after = load_settings(conf).schemes
    assert (set(after), after["tenant"]) == ({"carefirst", "a_pass", "tenant"}, before)


def test_dataset_without_a_contract_is_skipped_with_a_warning(conf):
    crm = {"name": "crm", "records": [REQUESTS]}
    odd = {"name": "odd", "records": [{"dataset": "tenancys", "date": "day"}]}
    change(conf, services=[crm, odd], crosswalks=["crosswalk"])
    declared = load_settings(conf)
    assert [s.records.dataset for s in declared.sources] == ["requests"]
    assert declared.crosswalks == []
    assert "names the dataset tenancys" in declared.unknown[0]
    assert "nearest are tenancies" in declared.unknown[0]
    assert "crosswalk_tenants" in declared.unknown[1]


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ({"date": "request_day"}, "nearest are request_date"),
        ({"category": "kind"}, "names the column kind, which conf/datasets/requests.yaml does not"),
        (
            {"date": "service_description"},
            "it must be a date or a datetime: there are request_date",
        ),
        ({"postcode": "service_description"}, "not kept as a postcode"),
        ({"person": "service_description"}, "must be pseudonymised"),  # never a raw identifier
        ({"person": "record_id"}, "scheme of people"),  # a token, but of a request
        ({"person": "who"}, "names the column who, which"),
        ({"count": "request_date"}, "it must be an integer"),
    ],
)
def test_column_of_the_wrong_kind_is_refused(conf, records, says):
    change(conf, services=[{"name": "crm", "records": [REQUESTS | records]}])
    with pytest.raises(ConfigurationError, match=says):
        load_settings(conf)


def test_a_service_may_lack_all_columns(conf):
    bare = REQUESTS | {"person": None, "postcode": None, "date": None}
    change(conf, services=[{"name": "crm", "records": [bare]}], crosswalks=[])
    (source,) = load_settings(conf).sources
    assert (source.scheme, source.records.category) == (None, None)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"scheme": "carefirs"}, "nearest are carefirst"),
        ({"scheme": "agreement"}, "not a scheme of people"),
        ({"crosswalks": ["requests"]}, "pseudonymises 1 columns"),
        ({"layers": ["ward", "ward"]}, "ward is listed more than once"),
        ({"services": [{"name": "crm", "records": [REQUESTS]}] * 2}, "crm is listed more"),
        ({"services": [{"name": "crm+", "records": [REQUESTS]}]}, "name"),
        ({"services": []}, "services"),
    ],
)
def test_settings_that_cannot_be_right(conf, values, says):
    change(conf, **values)
    with pytest.raises(ConfigurationError, match=says):
        load_settings(conf)
