"""A contract that cannot be right is refused before anything is read."""

from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.contracts.field import Field
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.periods import Calendar
from socare_spark.errors import ConfigurationError, DataError
from socare_spark.ingest.discovery import discover_files
from socare_spark.ingest.header import match_header
from socare_spark.ingest.job import plan
from socare_spark.lake.lake import Lake

CONF = Path(__file__).resolve().parents[2] / "conf"
DAY = date(2013, 12, 31)


def contract(**changes):
    base = {
        "name": "visits",
        "schema": {
            "primaryKey": ["ID"],
            "fields": [
                {
                    "name": "ID",
                    "constraints": {"required": True},
                    "socare": {"pseudonymise": "visit"},
                },
                {"name": "DAY", "type": "date", "socare": {"keep": "as_is"}},
                {"name": "NOTE", "socare": {"drop": True}},
            ],
        },
        "socare": {
            "files": r"visits/(?P<period>\d{4})(_(?P<area>[a-z]+))?(_r(?P<revision>\d))?\.csv"
        },
    }
    base.update(changes)
    return Contract.model_validate(base)


def test_the_shipped_contracts_are_usable():
    assert {c.name for c in read_contracts(CONF)} >= {"agreements_closed", "requests"}


def test_title_does_not_change_the_digest():
    one, other = contract(title="A"), contract(title="B")
    assert one.digest(DAY) == other.digest(DAY)
    assert one.digest(DAY) != contract(encoding="windows-1252").digest(DAY)


def test_settings_of_other_periods_do_not_change_the_digest():
    ours = contract().socare.model_dump(mode="json", by_alias=True)
    spelling = {"column": "DAY", "also": ["DATE"], "from": "2017", "to": "2017"}
    encoding = {"encoding": "windows-1252", "from": "2017"}
    pattern = ours["files"].replace("csv", "(csv|CSV)")
    changed = contract(
        socare=ours | {"spellings": [spelling], "encodings": [encoding], "files": pattern}
    )
    assert changed.digest(DAY) == contract().digest(DAY)
    assert changed.digest(date(2017, 12, 31)) != contract().digest(date(2017, 12, 31))


def test_a_spelling_may_be_written_in_another_way():
    ours = contract().socare.model_dump(mode="json", by_alias=True)
    one = [{"column": "DAY", "also": ["DATE", "WHEN"]}]
    two = [{"column": "DAY", "also": [n], "to": "2014"} for n in ("WHEN", "DATE")]
    one, two = (contract(socare=ours | {"spellings": s}) for s in (one, two))
    assert one.digest(DAY) == two.digest(DAY)


@pytest.mark.parametrize(
    "field",
    [
        {"name": "X"},  # no treatment
        {"name": "X", "socare": {"keep": "as_is", "drop": True}},  # two
        {"name": "X", "socare": {"keep": "as_is"}, "colour": "red"},  # unknown key
        {"name": "X", "socare": {"keep": "as_is", "age": {"at": "NOWHERE", "as": "a"}}},
        {"name": "day", "socare": {"keep": "as_is"}},  # the same name but for case
    ],
)
def test_a_field_that_cannot_be_right(field):
    schema = contract().model_dump(mode="json", by_alias=True)["schema"]
    schema["fields"].append(field)
    with pytest.raises(ValueError, match="validation error"):
        contract(schema=schema)


KEPT = {"keep": "as_is"}


@pytest.mark.parametrize(
    "field",
    [
        {"constraints": {"pattern": "("}},
        {"constraints": {"pattern": "(?P<a>x)"}},  # Java has no such group
        {"type": "date", "format": "%Q"},
        {"type": "date", "format": "%Y-%m-%d%z"},  # a day has no offset
        {"type": "date", "alsoFormats": ["%d/%m"]},  # no year
        {"type": "date", "format": "any"},
        {"alsoFormats": ["%d/%m/%Y"]},  # a text
        {"type": "integer", "constraints": {"minimum": "abc"}},
        {"type": "number", "constraints": {"maximum": "NaN"}},
        {"type": "date", "constraints": {"minimum": "2015-02-30"}},
        {"type": "integer", "constraints": {"minimum": 5, "maximum": 1}},
        {"constraints": {"minimum": 1}},  # of a text
        {"constraints": {"minLength": 3, "maxLength": 2}},
        {"type": "integer", "constraints": {"minLength": 3}},
        {"constraints": {"enum": ["A "]}},  # cells are without blanks
        {"constraints": {"enum": ["A"], "pattern": "[B-D]"}},
        {"type": "number", "constraints": {"enum": ["one"]}},
        {"groupChar": ","},  # a text
        {"type": "number", "groupChar": "."},  # the decimal point
        {"type": "number", "decimalChar": "12"},
        {"type": "integer", "socare": {"degrade": "month"}},
        {"type": "date", "socare": {"keep": "postcode"}},
        {"socare": {"keep": "as_is", "no_place": ["BFPO*"]}},
        {"socare": {"keep": "as_is", "open_ended": ["9999-12-31"]}},
        {"socare": {"keep": "as_is", "brackets": True}},
        {"socare": {"keep": "as_is", "as": "Not A Column"}},
        {"type": "date", "socare": {"keep": "as_is", "age": {"at": "NOTE", "as": "a"}}},
        {"type": "date", "socare": {"keep": "as_is", "age": {"at": "DAY", "as": "note"}}},
        {
            "type": "date",
            "socare": {"keep": "as_is", "age": {"at": "DAY", "as": "a", "steps": [5, 9]}},
        },
    ],
)
def test_a_field_that_no_cell_can_fit(field):
    schema = contract().model_dump(mode="json", by_alias=True)["schema"]
    schema["fields"].append({"name": "MORE", "socare": KEPT, **field})
    schema["fields"].append({"name": "N", "socare": {"keep": "as_is", "as": "note"}})
    with pytest.raises(ValueError, match="validation error"):
        contract(schema=schema)


@pytest.mark.parametrize(
    "ours",
    [
        {"not_after_extract": ["NOTE"]},
        {"date_order": [{"first": "DAY", "then": "NOTE"}]},
        {"encodings": [{"encoding": "utf-8", "from": "2015", "to": "2014"}]},
        {"spellings": [{"column": "ID", "also": ["I"], "from": "2015-13"}]},
    ],
)
def test_a_rule_that_no_row_can_fit(ours):
    given = contract().model_dump(mode="json", by_alias=True)["socare"]
    with pytest.raises(ValueError, match="validation error"):
        contract(socare=given | ours)


def test_a_dry_run_names_an_unknown_scheme(tmp_path):
    folder = tmp_path / "conf"
    (folder / "datasets").mkdir(parents=True)
    given = contract().model_dump(mode="json", by_alias=True)
    (folder / "datasets" / "visits.yaml").write_text(yaml.safe_dump(given))
    (folder / "project.yaml").write_text((CONF / "project.yaml").read_text())
    context = SimpleNamespace(
        conf=folder, landing=tmp_path, lake=Lake(tmp_path), withdraw="", only=()
    )
    with pytest.raises(ConfigurationError, match="scheme visit"):
        plan(context)


def test_errors_name_file_and_key_and_no_value(tmp_path):
    folder = tmp_path / "datasets"
    folder.mkdir()
    data = yaml.safe_load((CONF / "datasets" / "requests.yaml").read_text())
    data["socare"]["gate"] = 7.125
    (folder / "requests.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigurationError, match=r"requests\.yaml: socare\.gate") as error:
        read_contracts(tmp_path)
    assert "7.125" not in str(error.value)


def last_day(period):
    return Calendar().last(period)


@pytest.mark.parametrize(
    ("period", "last"),
    [
        ("2015", date(2015, 12, 31)),
        ("2016-02", date(2016, 2, 29)),
        ("20190212", date(2019, 2, 12)),
    ],
)
def test_a_period_ends_on_its_last_day(period, last):
    assert Calendar().last(period) == last


def test_headers_match_by_name_in_any_order_case_and_spacing():
    columns, dropped = match_header(["Day", " id ", "Extra"], contract(), last_day("2015"))
    assert columns == ("DAY", "ID", None)
    assert dropped == {"Extra": ""}


def test_misspelt_column_is_reported_with_the_nearest_name():
    with pytest.raises(DataError, match="'DAYS' looks like DAY"):
        match_header(["ID", "DAYS"], contract(), last_day("2015"))


def test_a_column_may_be_absent_only_where_the_contract_says_so():
    schema = contract().model_dump(mode="json", by_alias=True)["schema"]
    schema["fields"][1]["socare"]["optional"] = {"from": "2014", "to": "2015"}
    one = contract(schema=schema)
    assert match_header(["ID"], one, last_day("2015-03"))[0] == ("ID",)
    with pytest.raises(DataError, match="lacks the column DAY"):
        match_header(["ID"], one, last_day("2016"))
    assert one.digest(DAY) == contract().digest(DAY)


@pytest.mark.parametrize("needs", ["an age", "a rule", "a limit", None])
def test_a_dropped_column_may_be_absent_where_nothing_needs_it(needs):
    schema = contract().model_dump(mode="json", by_alias=True)["schema"]
    rules = contract().model_dump(mode="json", by_alias=True)["socare"]
    dropped = {"name": "BORN", "type": "date", "socare": {"drop": True}}
    if needs == "an age":
        dropped["socare"]["age"] = {"at": "DAY", "as": "age"}
    if needs == "a limit":
        dropped["constraints"] = {"required": True}
    if needs == "a rule":
        rules["date_order"] = [{"first": "BORN", "then": "DAY"}]
    one = contract(schema=schema | {"fields": [*schema["fields"], dropped]}, socare=rules)
    if needs is None:
        assert match_header(["ID", "DAY"], one, last_day("2015"))[0] == ("ID", "DAY")
    else:
        with pytest.raises(DataError, match="lacks the column BORN"):
            match_header(["ID", "DAY"], one, last_day("2015"))


@pytest.mark.parametrize("delimiter", ['"', "\n", "§"])
def test_a_delimiter_is_one_ascii_character(delimiter):
    with pytest.raises(ValueError, match="delimiter"):
        contract(dialect={"delimiter": delimiter})


def test_a_doubled_column_is_refused():
    with pytest.raises(DataError, match="DAY more than once"):
        match_header(["ID", "DAY", "day"], contract(), last_day("2015"))


def test_spellings_hold_for_their_periods():
    ours = contract().model_dump(mode="json", by_alias=True)["socare"]
    ours["spellings"] = [{"column": "ID", "also": ["Visit No."], "from": "2014", "to": "2014"}]
    one = contract(socare=ours)
    assert match_header(["visit no", "DAY"], one, last_day("2014"))[0] == ("ID", "DAY")
    with pytest.raises(DataError, match="lacks"):
        match_header(["visit no", "DAY"], one, last_day("2015"))


@pytest.mark.parametrize(
    ("start", "end", "inside", "outside"),
    [
        ("2017", None, ["2017", "2017-01", "20170101", "2018-01"], ["2016", "2016-12", "20161231"]),
        (None, "2017", ["2017", "2017-12", "20171231", "2016"], ["2018", "2018-01", "20180101"]),
        ("2017", "2017", ["2017", "2017-01", "2017-12-31", "2017-06-15"], ["2016-12", "2018-01"]),
        ("2017-02", None, ["2017-02", "2017-02-01", "2017"], ["2017-01", "2017-01-31", "2016"]),
        (None, "2017-02", ["2017-02", "2017-02-28", "2016"], ["2017-03", "2017-03-01", "2017"]),
        ("2017", "2017-06", ["2017-01", "2017-06-30"], ["2017-07", "2016-12", "2017"]),
        ("2017-06", "2017", ["2017-06-01", "2017-12", "2017"], ["2017-05", "2018"]),
        ("2017-02-03", "2017-02-03", ["2017-02-03"], ["2017-02-02", "2017-02", "2017-02-04"]),
        ("2017-02-03", "2017-02", ["2017-02-03", "2017-02-28", "2017-02"], ["2017-02-02"]),
        (2017, date(2018, 3, 1), ["2017-01", "2018-02"], ["2016-12", "2018-03"]),
    ],
)
def test_settings_hold_from_the_first_day_to_the_last(start, end, inside, outside):
    span = {k: v for k, v in (("from", start), ("to", end)) if v is not None}
    declared = contract().model_dump(mode="json", by_alias=True)
    ours, schema = declared["socare"], declared["schema"]
    schema["fields"][1]["socare"]["optional"] = span
    ours["spellings"] = [{"column": "ID", "also": ["Visit No."], **span}]
    ours["encodings"] = [{"encoding": "windows-1252", **span}]
    one, plainly = contract(socare=ours, schema=schema), contract()

    def holds(period):
        day = last_day(period)
        found = {
            "visit_no" in one.spellings_of(day),
            one.encoding_of(day) == "windows-1252",
            one.may_lack(one.field("DAY"), day),
            one.digest(day) != plainly.digest(day),
        }
        assert len(found) == 1
        return found.pop()

    assert [p for p in inside if not holds(p)] == []
    assert [p for p in outside if holds(p)] == []


@pytest.mark.parametrize("wrong", ["", "soon", "2017-13", "2017Q5", "2017-1-", "2017/18", "17"])
def test_a_span_names_periods(wrong):
    ours = contract().socare.model_dump(mode="json", by_alias=True)
    ours["encodings"] = [{"encoding": "windows-1252", "from": wrong}]
    with pytest.raises(ValueError, match="a year, a month or a day"):
        contract(socare=ours)


# YAML reads 2017.10 as the first, and 2017_1_1 as the second.
@pytest.mark.parametrize("number", [2017.1, 201711, 2017.5, True, 17])
def test_a_period_that_is_another_number_is_in_quotes(number):
    ours = contract().socare.model_dump(mode="json", by_alias=True)
    ours["encodings"] = [{"encoding": "windows-1252", "from": number}]
    with pytest.raises(ValueError, match=r"must be in quotes|a year, a month or a day"):
        contract(socare=ours)


@pytest.mark.parametrize(
    "span", [("2018", "2017"), ("2017-07", "2017-06"), ("2017-07-01", "2017-06")]
)
def test_a_span_ends_after_it_begins(span):
    ours = contract().socare.model_dump(mode="json", by_alias=True)
    ours["encodings"] = [{"encoding": "windows-1252", "from": span[0], "to": span[1]}]
    with pytest.raises(ValueError, match="'to' must not be before 'from'"):
        contract(socare=ours)


def test_files_of_a_period(tmp_path):
    folder = tmp_path / "visits"
    folder.mkdir()
    for name in ("2014.csv", "2015_north.csv", "2015_south.csv", "2014_r2.csv", "other.txt"):
        (folder / name).write_text("ID\n")
    newest, refused, older = discover_files(tmp_path, contract())
    assert (refused, older) == ([], ["visits/2014.csv"])
    found = [(a.name, a.part) for a in newest]
    assert found == [
        ("visits/2014_r2.csv", ""),  # the newest copy only
        ("visits/2015_north.csv", "area=north"),
        ("visits/2015_south.csv", "area=south"),
    ]


def test_two_files_for_one_period_are_refused(tmp_path):
    (tmp_path / "visits").mkdir()
    (tmp_path / "visits" / "2014.csv").write_text("ID\n")
    (tmp_path / "visits" / "2014_r0.csv").write_text("ID\n")
    (tmp_path / "visits" / "2015.csv").write_text("ID\n")
    newest, refused, _ = discover_files(tmp_path, contract())
    assert [a.name for a in newest] == ["visits/2015.csv"]
    assert [r.landed.name for r in refused] == ["visits/2014.csv", "visits/2014_r0.csv"]
    assert all("same period" in r.reason for r in refused)


def test_header_is_normalised_to_lower_case_words():
    assert normalise_header(" SERVICE/ELEMENT_COST ") == "service_element_cost"


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%d", "%d/%m/%Y %d", "%Y %m %b", "%y%Y", "%d/%m/%Y %I:%M", "%d/%m/%Y %H:%M %p"),
        *("%d/%m/%Y %H %I %p", "%m", "%Q/%Y", "%", "%%Y", "%-d/%m/%Y", "%Y %M", "dd/mm/yyyy"),
        *("%Y %j %d", "%x", "%Y-%m-%dT%H:%M:%S+01:00", "%Y-%m-%dT%H:%M-0500"),
    ],
)
def test_a_format_that_names_no_moment_is_refused(form):
    field = {"name": "DAY", "type": "datetime", "format": form, "socare": {"keep": "as_is"}}
    with pytest.raises(ValueError, match="DAY: a format"):
        Field.model_validate(field)


@pytest.mark.parametrize(
    "form", ["%Y", "%m/%Y", "%d %b %y", "%Y%j", "%d/%m/%Y %I:%M %p", "%Y%m%d%H", "%Y-%m-%dT%H:%MZ"]
)
def test_a_format_that_names_a_moment_is_accepted(form):
    field = {"name": "DAY", "type": "datetime", "format": form, "socare": {"keep": "as_is"}}
    assert Field.model_validate(field).formats == (form,)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("integer", 1, 5),
        ("number", 0, 1.5),
        ("date", date(2010, 1, 1), "2011-01-01"),
        ("datetime", datetime(2010, 1, 1, 8), datetime(2010, 1, 1, 9)),
    ],
)
def test_limits_may_be_written_as_yaml_reads_them(kind, low, high):
    limits = {"minimum": low, "maximum": high}
    field = {"name": "X", "type": kind, "constraints": limits, "socare": {"keep": "as_is"}}
    declared = yaml.safe_load(yaml.safe_dump(field))
    assert Field.model_validate(declared).constraints.minimum is not None
    with pytest.raises(ValueError, match="greater than its maximum"):
        Field.model_validate({**declared, "constraints": {"minimum": high, "maximum": low}})


@pytest.mark.parametrize(
    ("formats", "refused"),
    [
        (["%d/%m/%Y", "%m/%d/%Y"], True),
        (["%d-%m-%y", "%y-%m-%d"], True),
        (["%d %b %Y", "%b %d %Y"], False),
        (["%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%Y-%m-%d", "%d/%m/%Y"], False),
    ],
)
def test_formats_that_read_one_text_as_two_days_are_refused(formats, refused):
    field = {"name": "DAY", "type": "date", "socare": {"keep": "as_is"}}
    declared = {**field, "format": formats[0], "alsoFormats": formats[1:]}
    if refused:
        with pytest.raises(ValueError, match="two formats read one text as different days"):
            Field.model_validate(declared)
    else:
        Field.model_validate(declared)


def test_contract_that_keeps_no_column_is_refused():
    fields = [{"name": "NOTE", "socare": {"drop": True}}]
    with pytest.raises(ValueError, match="every column is dropped"):
        contract(schema={"primaryKey": "none", "fields": fields})
