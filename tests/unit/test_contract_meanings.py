"""A contract that could mean two things, or that no reader can follow, is refused."""

import re
from datetime import date
from pathlib import Path

import pytest

from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.contracts.patterns import portable
from socare_spark.contracts.periods import Calendar
from socare_spark.contracts.project import IDENTIFIER_SHAPE, Project, Scheme, read_project
from socare_spark.contracts.schemes import scheme_faults
from socare_spark.errors import ConfigurationError
from socare_spark.ingest.discovery import discover_files
from socare_spark.ingest.format_diagnosis import wrong_header
from socare_spark.ingest.reader import internal_names

CONF = Path(__file__).resolve().parents[2] / "conf"
ID = {"name": "ID", "constraints": {"required": True}, "socare": {"keep": "as_is"}}
COST = {"name": "COST", "type": "number", "socare": {"keep": "as_is"}}


def contract(*fields, key=("ID",), dialect=None, **ours):
    ours = {"files": r"visits/(?P<period>[0-9_-]*[0-9])(_(?P<area>[a-z]+))?\.csv", **ours}
    return Contract.model_validate(
        {
            "name": "visits",
            "dialect": dialect or {},
            "schema": {"primaryKey": list(key), "fields": [ID, *fields]},
            "socare": ours,
        }
    )


@pytest.mark.parametrize(
    "period",
    [
        *("2017-13-1", "10-2010", "20170-1", "1020-10-31", "1899", "2101-01", "2017--01", "x2017"),
        *("2017 ", "2017-01-", "01.02.2017", "2017/18", "2009-2010", "20171", "٢٠١٧", "2017-00"),
    ],
)
def test_a_period_is_written_in_full(period):
    with pytest.raises(ValueError, match="a year, a month or a day"):
        Calendar().last(period)


@pytest.mark.parametrize("period", ["2017", "201712", "2017-12", "2017_12.31", "20171231"])
def test_the_marks_of_a_period_may_be_absent(period):
    assert Calendar().last(period).isoformat() == "2017-12-31"


def landed(folder, *names):
    (folder / "visits").mkdir(exist_ok=True)
    for name in names:
        (folder / "visits" / f"{name}.csv").write_text(f"ID\n{name}\n")
    newest, refused, _ = discover_files(folder, contract())
    return {a.period for a in newest}, {r.landed.period: r.reason for r in refused}


@pytest.mark.parametrize(
    "names",
    [
        ["2009-10", "2010-11", "2011-12"],
        ["2011-12", "2012-13"],
        ["2009_10", "200809", "1999-00"],
        ["2011-12_north", "2012-13_south"],
    ],
)
def test_names_that_look_like_financial_years_are_refused(tmp_path, names):
    taken, refused = landed(tmp_path, *names, "2014")
    assert taken == {"2014"}
    assert len(refused) == len(names)
    assert all("financial year" in why and "socare.year_ends" in why for why in refused.values())


@pytest.mark.parametrize(
    "names",
    [
        ["2011-12"],
        ["2011-12", "2012-01"],
        ["2010-11", "2011-12", "2011-11"],
        ["2011-12-01", "2012-13-01"],
        ["2011-12_north", "2011-12_south"],
    ],
)
def test_months_beside_other_months_are_months(tmp_path, names):
    refused = landed(tmp_path, *names)[1]
    assert not any("financial" in why for why in refused.values())


def test_columns_have_internal_names_of_their_own():
    dropped = {"name": "POSTCODE", "socare": {"drop": True}}
    home = {"name": "HOME POSTCODE", "socare": {"keep": "postcode", "as": "postcode"}}
    names = internal_names(contract(dropped, home))
    assert names == {"ID": "id", "POSTCODE": "postcode", "HOME POSTCODE": "home_postcode"}


PERSON = {"name": "PERID", "socare": {"pseudonymise": "carefirst", "as": "person"}}


@pytest.mark.parametrize(
    "field",
    [
        {"name": "PERSON", "socare": {"keep": "as_is"}},
        {"name": "PERID", "socare": {"keep": "as_is", "as": "person"}},
        {
            "name": "DAY",
            "type": "date",
            "socare": {"keep": "as_is", "age": {"at": "DAY", "as": "person"}},
        },
    ],
)
def test_a_person_is_a_token(field):
    with pytest.raises(ValueError, match="person: a column of this name must be pseudonymised"):
        contract(field)


def test_extract_column_cannot_be_called_person():
    with pytest.raises(ValueError, match="person: a column of this name must be pseudonymised"):
        contract(extract_column="person")


def test_a_dropped_column_may_be_called_person():
    one = contract({"name": "PERSON", "socare": {"drop": True}}, PERSON)
    assert one.person_scheme == "carefirst"
    assert contract({"name": "PERSON", "socare": {"drop": True}}).person_scheme == ""


def test_a_person_needs_a_scheme_of_people():
    assert scheme_faults(read_project(CONF), read_contracts(CONF)) == []
    project = Project(council="c", project="p", key_id="k", schemes={"carefirst": Scheme()})
    (fault,) = scheme_faults(project, [contract(PERSON)])
    assert re.search(r"PERID.*carefirst.*person: true", fault)


@pytest.mark.parametrize("entry", ["*", "-*", "?*", "", " ", "-", "B*1", "*BFPO", "é*"])
def test_a_text_that_is_no_place_has_a_letter_or_digit(entry):
    with pytest.raises(ValueError, match="no_place"):
        contract({"name": "HOME", "socare": {"keep": "postcode", "no_place": [entry]}})


@pytest.mark.parametrize(
    ("spellings", "message"),
    [
        ([{"column": "COST", "also": ["£"]}], "no letter or digit"),
        ([{"column": "COST", "also": ["id"]}], "another field"),
        ([{"column": c, "also": ["Sum"]} for c in ("ID", "COST")], "two columns"),
        (
            [
                {"column": "ID", "also": ["SUM"], "to": "2014-06"},
                {"column": "COST", "also": ["sum"], "from": "2014"},
            ],
            "two columns",
        ),
    ],
)
def test_a_spelling_means_one_column(spellings, message):
    with pytest.raises(ValueError, match=message):
        contract(COST, spellings=spellings)


def test_a_spelling_may_mean_other_columns_in_other_periods():
    spellings = [
        {"column": "ID", "also": ["SUM", "id"], "to": "2014"},
        {"column": "COST", "also": ["SUM"], "from": "2015"},
        {"column": "COST", "also": ["sum", "S"], "from": "2016"},
    ]
    one = contract(COST, spellings=spellings)
    assert [one.spellings_of(date(y, 12, 31))["sum"] for y in (2014, 2015)] == ["ID", "COST"]


def test_a_field_has_a_name():
    with pytest.raises(ValueError, match="no letter or digit"):
        contract({"name": "£", "socare": {"keep": "as_is", "as": "sum"}})


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "{[0-9A-F]+}",
            "a{",
            "a{,3}",
            "(?#c)a",
            "(?ia)x",
            r"\0",
            "a{ 3}",
            "a{2,b}",
            "a{9999999999}",
        ),
        *("(?a)x", "(?x)a b", "(?P<n>a)", "(?u:x)", "(a)(?(1)b|c)", r"[\0]", r"[\b]", r"[\1]"),
        *(
            r"\v",
            "[a[b]",
            "[a&&b]",
            "[&&a]",
            r"\101",
            r"\N{DIGIT ONE}",
            r"\U0001F600",
            "(",
            "[[a]b]",
        ),
    ],
)
def test_a_pattern_that_java_reads_differently_is_refused(pattern):
    with pytest.raises(ValueError, match=r"regular expression|Java"):
        portable(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "",
            "[A-Z]{2}[0-9]{6}[A-D]?",
            "a{2,}",
            "a{2,3}?",
            r"\{[0-9]\}",
            "[{}]",
            "(?i)x",
            "(?i:x)|y",
        ),
        *(
            "(?-i:x)",
            "(?i-s:x)",
            "(?=a)a",
            "(?!a)b",
            "(?<=a)b|(?<!a)b",
            "(?:a|b)",
            "(?>a)",
            r"(a)\1",
        ),
        *(
            r"[^\]\\]",
            r"\\0",
            r"\\\{",
            "[]a]",
            "[^]a]",
            r"\x41é",
            r"\d+\.\d",
            "a}",
            "a++",
            IDENTIFIER_SHAPE,
        ),
    ],
)
def test_a_pattern_that_java_shares_is_taken(pattern):
    assert portable(pattern) == pattern


@pytest.mark.parametrize("sign", ["-", "+", "5", "£-", ".", " ", "", "(", "−"])
def test_a_currency_is_no_part_of_a_number(sign):
    money = {**COST, "socare": {"keep": "as_is", "currency": ["£", sign]}}
    with pytest.raises(ValueError, match="currency"):
        contract(money)


def test_currencies_are_signs_or_words():
    contract({**COST, "socare": {"keep": "as_is", "currency": ["£", "GBP", "Rs.", "R$"]}})


def test_a_backslash_is_no_delimiter():
    with pytest.raises(ValueError, match="delimiter"):
        contract(dialect={"delimiter": "\\"})


def test_a_key_names_a_column_once():
    with pytest.raises(ValueError, match="primaryKey"):
        contract(key=("ID", "ID"))


def test_a_delimiter_is_named_as_yaml_reads_it():
    assert wrong_header("id\tcost\n", ",", {"id", "cost"}).endswith(r'dialect.delimiter "\t"')


@pytest.mark.parametrize(
    ("declared", "key"), [("none", []), ("None", []), ([], []), ("ID", ["id"]), (["ID"], ["id"])]
)
def test_a_key_is_a_list_a_name_or_none(declared, key):
    data = contract().model_dump(mode="json", by_alias=True)
    data["schema"]["primaryKey"] = declared
    assert Contract.model_validate(data).own_key == key


def test_the_day_of_the_extract_can_be_part_of_the_key():
    yearly = contract(key=("ID", "return_year"), extract_column="return_year")
    assert (yearly.key, yearly.own_key) == (["return_year", "id"], ["id"])
    day = date(2015, 12, 31)
    assert yearly.digest(day) != contract(extract_column="return_year").digest(day)
    # A field of this name comes first.
    field = {"name": "extract", "constraints": {"required": True}, "socare": {"keep": "as_is"}}
    copied = contract(field, key=("ID", "extract"), extract_column="copied")
    assert (copied.key, copied.key_has_day) == (["id", "extract"], False)


@pytest.mark.parametrize(
    ("key", "ours", "message"),
    [
        (("ID", "extract"), {"snapshots": True}, "Remove snapshots: true if each extract has"),
        (("extract",), {}, "needs a column of the records besides extract, the day of the extract"),
        (("ID", "extract"), {"extract_column": "copied"}, r"not in schema.fields: \['extract'\]"),
    ],
)
def test_a_key_with_the_day_of_another_kind_of_extract_is_refused(key, ours, message):
    with pytest.raises(ValueError, match=message):
        contract(key=key, **ours)


def test_a_limit_of_repeated_keys_needs_a_key():
    data = contract().model_dump(mode="json", by_alias=True)
    data["schema"]["primaryKey"] = "none"
    data["socare"]["repeated_keys_gate"] = 0.1
    with pytest.raises(ValueError, match="repeated_keys_gate needs a schema"):
        Contract.model_validate(data)


FLAG = {"name": "FLAG", "type": "boolean", "socare": {"keep": "as_is"}}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"trueValues": ["Y"], "falseValues": ["Y", "N"]}, "all different"),
        ({"trueValues": [" Y"]}, "all different"),
        ({"trueValues": [True]}, "texts in quotes"),
        ({"trueValues": "Y"}, "texts in quotes"),
        ({"falseValues": []}, "all different"),
        ({"type": "string", "trueValues": ["Y"]}, "need a boolean"),
        ({"constraints": {"enum": ["1"]}}, "cannot have an enum or a pattern"),
        ({"constraints": {"minimum": 0}}, "need a number or a date"),
        ({"trueValues": ["NULL"]}, "missingValues means true or false"),
    ],
)
def test_contradictory_booleans_are_refused(keys, message):
    schema = {"primaryKey": "none", "missingValues": ["", "NULL"], "fields": [{**FLAG, **keys}]}
    data = {"name": "visits", "schema": schema, "socare": {"files": "(?P<period>.*)"}}
    with pytest.raises(ValueError, match=message):
        Contract.model_validate(data)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"missingValues": ["*"], "socare": {"keep": "as_is", "status": "why"}}, "needs missing"),
        ({"missingValues": {"*": "x"}, "socare": {"drop": True, "status": "why"}}, "has no status"),
        ({"missingValues": {" *": "x"}}, "blanks at their ends"),
        ({"missingValues": {0: "x"}}, "texts in quotes"),
        ({"missingValues": {"*": " "}}, "texts in quotes"),
        ({"missingValues": [0]}, "texts in quotes"),
        ({"missingValues": "*"}, "texts in quotes"),
        ({"missingValues": [{"label": "x"}]}, "texts in quotes"),
        (
            {"missingValues": {"*": "x"}, "socare": {"keep": "as_is", "status": "flag"}},
            "same column",
        ),
    ],
)
def test_contradictory_missing_values_are_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        contract({**FLAG, **keys})


@pytest.mark.parametrize("declared", [None, 0, False, {"ID": 1}])
def test_another_key_is_refused(declared):
    data = contract().model_dump(mode="json", by_alias=True)
    data["schema"]["primaryKey"] = declared
    with pytest.raises(ValueError, match="must be a column, a list of columns, or none"):
        Contract.model_validate(data)


def test_missing_values_in_the_form_of_the_standard():
    pairs = [{"value": "*", "label": "suppressed"}, {"value": ""}]
    (field,) = contract({**FLAG, "missingValues": pairs}).fields[1:]
    assert dict(field.missing_values) == {"*": "suppressed", "": None}
    assert dict(field.missing_meanings) == {"*": "suppressed"}


def test_a_day_that_does_not_exist_is_named_with_its_file(tmp_path):
    (tmp_path / "datasets").mkdir()
    path = tmp_path / "datasets" / "visits.yaml"
    path.write_text("socare: {encodings: [{encoding: utf-8, from: 2017-02-30}]}")
    with pytest.raises(ConfigurationError, match=r"visits\.yaml has a day that does not exist"):
        read_contracts(tmp_path)
