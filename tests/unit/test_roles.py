"""Roles: columns of a council's own names, and mappings that are refused before data are read."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from socare_spark.analyses.combinations.settings import load_settings as load_combinations
from socare_spark.analyses.elements.settings import load_settings as load_elements
from socare_spark.analyses.provision.settings import load_settings as load_provision
from socare_spark.analyses.requests.settings import load_settings as load_requests
from socare_spark.analyses.use.settings import UseSettings, roles_in_use
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Assigned, Need, check_needs, warnings_of_empty_columns
from socare_spark.lake.table import cell_table

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture
def conf(tmp_path):
    """The shipped configuration, to be changed."""
    for name in ("datasets", "analyses", "vocabulary"):
        shutil.copytree(CONF / name, tmp_path / name)
    for name in ("project.yaml", "places.yaml"):
        shutil.copy(CONF / name, tmp_path)
    return tmp_path


def change(conf, analysis, **values):
    path = conf / "analyses" / f"{analysis}.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | values), "utf-8")


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        (
            {"description": "service_descripton"},
            "conf/analyses/requests.yaml: roles.description names the column service_descripton, "
            "which conf/datasets/requests.yaml does not keep: the nearest are service_description.",
        ),
        (
            {"person": "postcode"},
            "roles.person names the column postcode, which is of the type string in "
            "conf/datasets/requests.yaml; it must be pseudonymised",
        ),
        # A token, but of a request.
        ({"person": "record_id"}, "which is not pseudonymised under a scheme of people"),
        ({"persons": "person"}, "roles.persons: the key is not known"),
    ],
)
def test_wrong_roles_of_requests_are_refused(conf, roles, says):
    change(conf, "requests", roles=roles)
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        load_requests(conf)


def test_a_day_is_not_a_local_time_in_utc(conf):
    path = conf / "datasets" / "agreements_costed.yaml"
    contract = yaml.safe_load(path.read_text("utf-8"))
    start = next(f for f in contract["schema"]["fields"] if f["name"] == "AGREEMENT_START")
    contract["socare"].pop("date_order", None)
    start |= {
        "type": "datetime",
        "socare": {"keep": "as_is", "as": "began", "zone": "Europe/London"},
    }
    start.pop("format", None)
    path.write_text(yaml.safe_dump(contract), "utf-8")
    change(conf, "elements", roles={"start": "began"})
    with pytest.raises(ConfigurationError, match=r"roles\.start .* local time in UTC.*socare\.day"):
        load_elements(conf)
    start["socare"]["day"] = "begin_day"
    path.write_text(yaml.safe_dump(contract), "utf-8")
    change(conf, "elements", roles={"start": "begin_day"})
    load_elements(conf)


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        (
            {"start": "element"},
            "roles.start names the column element, which is of the type string in "
            "conf/datasets/agreements_costed.yaml; it must be a date or a datetime",
        ),
        ({"cost": "agreement_end"}, "is of the type date in conf/datasets/agreements_costed.yaml"),
        (
            {"age": "agreement_start"},
            "it must be an age or an integer: the nearest are age_at_start",
        ),
    ],
)
def test_types_of_roles_are_those_of_the_contract(conf, roles, says):
    change(conf, "elements", roles=roles)
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        load_elements(conf)


def test_roles_of_one_dataset_differ_from_those_of_all(conf):
    only = {"start": "agreement_end", "cost": None}
    change(conf, "provision", roles={"age": None, "datasets": {"agreements_costed": only}})
    roles = load_provision(conf).provision.roles
    closed, costed = roles.of("agreements_closed"), roles.of("agreements_costed")
    assert (closed.start, closed.cost, closed.age) == ("agreement_start", "weekly_cost", None)
    assert (costed.start, costed.cost, costed.age) == ("agreement_end", None, None)


def test_roles_of_an_unknown_dataset_are_refused(conf):
    change(conf, "provision", roles={"datasets": {"agreements_cost": {"cost": None}}})
    says = (
        "roles.datasets names agreements_cost, which no table counts: the nearest are agreements_"
    )
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        load_provision(conf)


def test_roles_for_all_datasets_are_checked_in_each(conf):
    """Only the contract of costed agreements has the column; the first of the others is named."""
    change(conf, "provision", roles={"element": "client_group"})
    with pytest.raises(ConfigurationError, match=r"datasets/agreements_adult.yaml does not keep"):
        load_provision(conf)


def test_forecasts_read_agreements_by_the_roles_of_their_use(conf):
    change(conf, "use", roles={"end": "agreement_start"})
    assert roles_in_use(conf, "agreements_costed").end == "agreement_start"
    assert roles_in_use(conf, "agreements_closed").end == "agreement_end"


def test_a_role_is_read_under_one_name():
    start = Need(
        "restricted/d",
        "agreement_start",
        "date",
        assigned=Assigned("start", "day", "f", "roles.start"),
    )
    plain = Need("restricted/d", "agreement_start", "")
    check_needs([start, start, Need("restricted/other", "agreement_start", "")])
    with pytest.raises(ConfigurationError, match="maps the role start of restricted/d to day"):
        check_needs([start, plain])


def test_a_role_without_a_column_does_not_hide_a_column_of_its_name():
    none = Need(
        "restricted/d", "person", "bigint", assigned=Assigned("person", None, "f", "roles.person")
    )
    says = (
        "conf/f has roles.person: null, so that restricted/d has no person, and another key names "
        "the column person, as which the role is read. Rename the column person with `as` in its "
        "contract."
    )
    plain = Need("restricted/d", "person", "")
    for needs in ([none, plain], [plain, none]):
        with pytest.raises(ConfigurationError, match=f"^{re.escape(says)}$"):
            check_needs(needs)


def test_of_two_keys_the_role_is_the_one_with_another_column():
    role = Need(
        "restricted/d", "person", "bigint", assigned=Assigned("person", "adult", "f", "r.p")
    )
    listed = Need("restricted/d", "person", "", assigned=Assigned("columns", "person", "f", "c.0"))
    for needs in ([role, listed], [listed, role]):
        with pytest.raises(ConfigurationError, match="maps the role person of restricted/d to ad"):
            check_needs(needs)


@pytest.mark.parametrize(
    ("characteristics", "says"),
    [
        (["gender", "age_band"], "characteristics: names age_band, which the profile has in any"),
        (["gender", "gender"], "characteristics: names gender more than once"),
    ],
)
def test_characteristics_of_elements_differ(conf, characteristics, says):
    change(conf, "elements", characteristics=characteristics)
    with pytest.raises(ConfigurationError, match=says):
        load_elements(conf)


def test_a_role_without_a_column_is_not_reported_as_missing():
    """The configuration says that the data have none."""
    table = cell_table("visits", "Visits.", [])
    person = Assigned("person", "client", "analyses/use.yaml", "roles.person")
    mapped = Need("restricted/d", "person", "bigint", without=(table,), assigned=person)
    none = replace(mapped, assigned=replace(person, column=None))
    assert warnings_of_empty_columns([none]) == []
    assert warnings_of_empty_columns([mapped]) == [
        "The column client (bigint) of restricted/d, to be kept in conf/datasets/d.yaml or "
        "replaced under roles.person in conf/analyses/use.yaml, is missing and counts as empty in "
        "working/visits."
    ]


def test_present_columns_are_the_defaults():
    assert UseSettings.model_fields["roles"].default.model_dump() == {
        "person": "person",
        "start": "agreement_start",
        "end": "agreement_end",
        "element": "element",
        "cost": "weekly_cost",
        "place": "postcode",
    }


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"outcome": None}, "'reason' and 'outcome' must both be given, or neither"),
        ({"reason": None, "outcome": None}, "needs 'reason' and 'outcome', or 'columns' or"),
        ({"columns": ["qsa_group"], "flags": ["qsa_group"]}, "name qsa_group more than once"),
        (
            {"columns": ["qsa_groups"]},
            "conf/analyses/combinations.yaml: columns.0 names the column qsa_groups, which "
            "conf/datasets/children_assessments.yaml does not keep: the nearest are qsa_group.",
        ),
        ({"flags": ["qsa_group"]}, "flags.0 names the column qsa_group, which is of the type str"),
        ({"last_day": "form_outcome"}, "last_day names the column form_outcome, which is of the"),
    ],
)
def test_wrong_columns_of_combinations_are_refused(conf, settings, says):
    change(conf, "combinations", **settings)
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        load_combinations(conf)
