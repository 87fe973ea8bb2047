"""Drafts of contracts: treatments, keys, spellings, and files that are never overwritten."""

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from onboarding import PASSES, VALUES, onboard, write

from socare_spark.config import read_model
from socare_spark.contracts.contract import Contract
from socare_spark.errors import DataError
from socare_spark.onboarding.dataset import read_dataset
from socare_spark.onboarding.draft import draft_contract
from socare_spark.onboarding.layout import Header, find_layout
from socare_spark.onboarding.source_table import table_of


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing" / "passes"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def conf(tmp_path):
    (tmp_path / "conf" / "datasets").mkdir(parents=True)
    return tmp_path / "conf"


def drafted(capsys, conf, *files, name="passes"):
    """The contract drafted from files, and the output of the command."""
    path = conf / "datasets" / f"{name}.yaml"
    code, out, err = onboard(capsys, *files, "--write", path)
    assert code == 0, err
    return read_model(path, Contract), path.read_text("utf-8"), out


def treatments(contract):
    """Column -> its treatment, without empty keys."""
    return {
        f.name: f.socare.model_dump(exclude_defaults=True, by_alias=True) for f in contract.fields
    }


def test_each_column_has_a_treatment(landing, conf, capsys):
    contract, text, out = drafted(capsys, conf, write(landing / "passes_2015.csv", PASSES))
    assert treatments(contract) == {
        "PASS_ID": {"pseudonymise": "passes"},
        "PERID": {"pseudonymise": "person", "as": "person"},
        "SURNAME": {"drop": True},
        "DOB": {"drop": True, "age": {"at": "ISSUED", "as": "age_at_issued", "steps": (0, 18, 65)}},
        "ISSUED": {"keep": "as_is"},
        "POSTCODE": {"keep": "postcode"},
        "EMAIL": {"drop": True},
        "CENTRE": {"keep": "as_is"},
        "NOTES": {"drop": True},
    }
    assert contract.schema_.primary_key == ("PASS_ID",)
    assert contract.field("ISSUED").formats == ("%d/%m/%Y",)
    assert contract.socare.files == (
        r"passes/passes_(?P<period>\d{4})(_r(?P<revision>\d+))?\.csv(\.gz)?"
    )
    assert f"{text.count('# DECIDE')} comments with DECIDE" in out
    schemes = yaml.safe_load("\n".join(line for line in out.splitlines() if line.startswith("  p")
                                       and "{" in line))  # fmt: skip
    assert schemes.keys() == {"passes", "person"}
    assert schemes["person"]["person"] is True


def test_schemes_and_age_bands_of_the_configuration_are_used(landing, conf, capsys):
    (conf / "vocabulary").mkdir()
    (conf / "vocabulary" / "age_bands.yaml").write_text(
        "all: [{label: young, from: 0, to: 11}, {label: old, from: 11, to: null}]", "utf-8"
    )
    (conf / "project.yaml").write_text(
        "{council: c, project: p, key_id: k, schemes: {person: {person: true}, passes: {}, "
        "tenant: {person: true}}}",
        "utf-8",
    )
    contract, text, out = drafted(capsys, conf, write(landing / "passes_2015.csv", PASSES))
    assert contract.field("DOB").socare.age.steps == (0, 11)
    words = " ".join(text.replace("#", "").split())
    assert "tokens link to other datasets of person. Name tenant if the identifiers have" in words
    assert "Add to schemes" not in out


def test_many_texts_in_the_form_of_names_are_a_decision(landing, conf, capsys):
    firsts, lasts = ("Nkechi", "Ngozi", "Aoife", "Tadeusz", "Una"), ("Eze", "Okafor", "Mbeki", "Ek")
    names = [f"{first} {last}" for first in firsts for last in lasts]
    rows = (f"{n},{n % 7 + 1},{names[n % 20]},{names[n % 3]}" for n in range(100))
    file = write(landing / "passes_2015.csv", ["CASE_ID,SIZE,AGENCY,SOURCE", *rows])
    _, text, _ = drafted(capsys, conf, file)
    assert "{name: AGENCY, socare: {drop: true}}" in text
    assert "{name: SOURCE, socare: {keep: as_is}}" in text
    words = " ".join(text.replace("#", "").split())
    assert "DECIDE: dropped, because it probably has a name." in words
    assert "DECIDE: whether the 3 different texts, which have the form of names, are cat" in words


def test_the_day_of_an_age_is_no_identifier(landing, conf, capsys):
    rows = (f"2015-01-{n % 28 + 1:02d},{1950 + n}-03-04" for n in range(40))
    file = write(landing / "passes_2015.csv", ["Person ID,DOB", *rows])
    contract, _, _ = drafted(capsys, conf, file)
    assert contract.field("DOB").socare.degrade == "year"


def test_a_contract_is_never_overwritten(landing, conf, capsys):
    file = write(landing / "passes_2015.csv", PASSES)
    path = conf / "datasets" / "passes.yaml"
    path.write_text("mine", "utf-8")
    code, _, err = onboard(capsys, file, "--write", path)
    assert code == 2
    assert "not overwritten" in err
    assert path.read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["Passes.yaml", "passes.yml", "no/passes.yaml"])
def test_the_name_of_a_draft_is_that_of_a_contract(landing, conf, capsys, name):
    file = write(landing / "passes_2015.csv", PASSES)
    code, _, err = onboard(capsys, file, "--write", conf / "datasets" / name)
    assert code == 2
    assert "--write" in err
    assert not [*conf.glob("datasets/*")]


def test_no_value_of_a_cell_is_in_a_draft(landing, conf, capsys):
    lines = [*PASSES, "Quillfeather,,,,,,,,", "B1 1QQ,zz@qq.org"]
    _, text, _ = drafted(capsys, conf, write(landing / "passes.csv", lines))
    assert not [value for value in VALUES if value in text.lower()]


def test_differences_between_years_are_declared(landing, conf, capsys):
    rows = [f"{n},{n % 3},x{n % 2}" for n in range(100)]
    write(landing / "p_2014.csv", ["PASS_ID,CENTRE,KIND", *rows], "cp1252")
    write(landing / "p_2015.csv", ["PASS_ID,CENTRE,KIND", *rows, "900,1,Café"], "cp1252")
    write(landing / "p_2016.csv", ["PASS_ID,CENTER,KIND,WARD", *[f"{r},W" for r in rows]])
    write(
        landing / "p_2017.csv", ["PASS_ID,CENTER,KIND,WARD", *[f"{r},W" for r in rows], "7,1,é,W"]
    )
    contract, _, _ = drafted(capsys, conf, *landing.iterdir())
    spelled = [(s.column, s.also, s.start, s.end) for s in contract.socare.spellings]
    assert spelled == [
        ("CENTER", ("CENTRE",), "2014", "2014"),
        ("CENTER", ("CENTRE",), "2015", "2015"),
    ]
    assert contract.field("WARD").socare.optional.end == "2015"
    assert {contract.encoding, *(e.encoding for e in contract.socare.encodings)} == {
        "utf-8",
        "windows-1252",
    }


def test_columns_that_are_never_in_one_file_are_a_decision(landing, conf, capsys):
    for year, name in (("2014", "Ref"), ("2015", "Case number"), ("2016", "Case number")):
        rows = [f"R{year}{n:03d},{n % 3},2015-01-01" for n in range(60)]
        write(landing / f"p_{year}.csv", [f"{name},KIND,DAY", *rows])
    _, text, out = drafted(capsys, conf, *landing.iterdir())
    assert "Each file has either Case number or Ref, which can be one column" in out
    assert "DECIDE: each file has either Case number or Ref." in text


def test_many_texts_without_a_word_of_categories_are_a_decision(landing, conf, capsys):
    rows = [f"R{n}00,x{n % 60}y,x{n % 60}y" for n in range(600)]
    lines = ["REF,Zone,Reason", *rows]
    contract, text, _ = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert treatments(contract)["Zone"] == {"keep": "as_is"}
    assert text.count("DECIDE: whether the 60 different texts are categories") == 1


def test_columns_without_a_header_have_a_scheme_of_their_dataset(landing, conf, capsys):
    rows = [f"{4_000_000 + n % 90},2015-01-{n % 28 + 1:02d},{'ab'[n % 2]}" for n in range(200)]
    contract, _, _ = drafted(capsys, conf, write(landing / "x_2015.csv", rows), name="visits")
    assert contract.field("column 1").socare.pseudonymise == "visits_column_1"


def test_rows_without_a_key_are_all_kept(landing, conf, capsys):
    lines = ["FROM_LIBRARY,TO_LIBRARY,DAY", *["A,B,2015-01-01"] * 5, *["B,A,2015-01-02"] * 5]
    contract, text, _ = drafted(capsys, conf, write(landing / "moves_2015.csv", lines))
    assert contract.schema_.primary_key == ()
    assert "the files must not overlap" in " ".join(text.replace("#", "").split())


def test_marks_of_missing_counts_are_a_decision(landing, conf, capsys):
    lines = ["WARD_CODE,COUNT", *(f"E0501{n},{n}" for n in range(1000, 1060)), "E05012000,*"]
    contract, text, _ = drafted(capsys, conf, write(landing / "wards_2015.csv", lines))
    assert contract.field("COUNT").type == "integer"
    assert [*contract.field("COUNT").missing_values] == ["", "*"]
    assert "DECIDE: the meaning of *" in text
    assert contract.schema_.primary_key == ("WARD_CODE",)


def test_postcodes_that_cannot_exist_are_dropped(landing, conf, capsys):
    lines = ["ID,HOME_POST", *(f"{n},Q{n % 9} {n % 9}ZZ" for n in range(60))]
    contract, text, _ = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert treatments(contract)["HOME_POST"] == {"drop": True}
    assert "cannot be unit postcodes" in text


def test_forms_that_differ_between_files_are_refused(landing, conf, capsys):
    write(landing / "p_2014.csv", ["PASS_ID,CENTRE", "1,2"])
    write(landing / "p_2015.csv", ["PASS_ID;CENTRE", "1;2"])
    code, _, err = onboard(capsys, *landing.iterdir(), "--write", conf / "datasets" / "passes.yaml")
    assert code == 3
    assert "delimiter" in err


def test_an_uncertain_header_is_not_drafted(landing, conf, capsys):
    file = write(landing / "x_2015.csv", ["Quill,Feather", "Nib,Ink", "Pen,Paper"])
    path = conf / "datasets" / "x.yaml"
    code, out, err = onboard(capsys, file, "--write", path)
    assert code == 3
    assert "--header" in err
    assert "Quill" not in out + err
    assert not path.exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ID,KIND", *["1,2,3"] * 20], "another number of cells"),
        (["SURNAME,NOTES", "Quill,x", "Feather,y"], "No column can be kept"),
    ],
)
def test_files_without_a_column_to_keep_are_not_drafted(landing, conf, capsys, lines, message):
    path = conf / "datasets" / "x.yaml"
    code, out, err = onboard(capsys, write(landing / "x_2015.csv", lines), "--write", path)
    assert code == 3
    assert message in err
    assert not path.exists()
    assert "Quill" not in out + err


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Person,Line,Extract,source_file", "{n},{n},2015-01-01,{n}"),
        ("Amount,amount ,AMOUNT,Amount 2", "{n}.5,{n}.5,{n}.5,{n}.5"),
        ("REF,£,KIND,%", "R{n}00,{n}.5,x,{n}"),
        ("REF,,KIND", "R{n}00,{n},x"),
        ("2015,2016,2015", "{n},{n},{n}"),
        ("Customer ID,DOB,Issued,Age at issued", "C{n}00,01/02/1950,2015-01-01,4"),
    ],
)  # fmt: skip
def test_names_that_collide_are_changed(landing, conf, capsys, header, row):
    file = write(landing / "x_2015.csv", [header, *(row.format(n=n) for n in range(30, 90))])
    _, out, _ = onboard(capsys, file)
    contract, _, _ = drafted(capsys, conf, file, name="customer")
    readable = [name for name in header.split(",") if any(map(str.isalnum, name))]
    assert len(contract.fields) == len(readable)
    assert ("without a letter or digit" in out) == (len(readable) < header.count(",") + 1)


NAMES = st.sampled_from(
    ["A", "a ", "A 2", "a_2", "£", "", "1", "Line", "person", "Person ID", "extract", "DOB",
     "postcode", "age at day", "day", "column_1"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_every_header_gives_a_valid_draft(names, random):
    if not any(any(map(str.isalnum, name)) for name in names):
        return
    values = [["x", "y"], ["2015-01-01", "2015-02-03"], [f"P{n}00" for n in range(40)], ["1", "2"]]
    texts = [random.choice(values) for _ in names]
    columns = [pa.array([t[n % len(t)] for n in range(40)]) for t in texts]
    table = table_of(
        pa.table({f"{i}": column for i, column in enumerate(columns)}),
        Header(1, tuple(names), True),
        path=Path("x/x_2015.csv"),
        format_="csv",
        layout=find_layout("A,B\n1,2\n"),
    )
    dataset = read_dataset({"x/x_2015.csv": table})
    assert len(dataset.columns) == sum(any(map(str.isalnum, name)) for name in names)
    # A draft without a column to keep is refused, and every other one is a valid contract.
    with suppress(DataError):
        draft_contract(dataset, "x", {})


def test_a_record_does_not_get_the_scheme_of_people(landing, conf, capsys):
    (conf / "project.yaml").write_text(
        "{council: c, project: p, key_id: k, schemes: {passes: {person: true}, person: {}}}",
        "utf-8",
    )
    contract, _, _ = drafted(capsys, conf, write(landing / "passes_2015.csv", PASSES))
    assert contract.field("PASS_ID").socare.pseudonymise == "passes_record"
    assert contract.field("PERID").socare.pseudonymise == "person_person"


def test_a_key_that_is_a_person_is_a_decision(landing, conf, capsys):
    lines = ["PERID,KIND", *(f"{4_000_000 + n},{'ab'[n % 2]}" for n in range(60))]
    contract, text, _ = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert contract.schema_.primary_key == ("PERID",)
    assert "DECIDE: the key is a person" in text


def test_a_key_of_a_part_of_the_rows_is_a_decision(landing, conf, capsys, monkeypatch):
    monkeypatch.setattr("socare_spark.onboarding.source_text.MAX_BYTES", 1_000)
    monkeypatch.setattr("socare_spark.ingest.csv_records._CHUNK", 1_000)
    lines = ["CASE_REF,KIND", *(f"C{10_000 + n},{'ab'[n % 2]}" for n in range(1_000))]
    file = write(landing / "x_2015.csv", lines)
    contract, text, _ = drafted(capsys, conf, file)
    assert contract.schema_.primary_key == ("CASE_REF",)
    assert "DECIDE: the key was found in the first" in text


def test_birth_dates_with_short_years_are_dropped_as_a_decision(landing, conf, capsys):
    lines = ["REF,DOB,DAY", *(f"R{n}00,03/{n % 12 + 1:02d}/{n + 10},2015-01-{n % 28 + 1:02d}"
                              for n in range(60))]  # fmt: skip
    contract, text, _ = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert treatments(contract)["DOB"] == {"drop": True}
    assert "45 would be read as 2045" in " ".join(text.replace("#", "").split())


@pytest.mark.parametrize(
    ("name", "text", "decide"),
    [("Seen by", "A Eze", True), ("Surname", "Eze", False), ("UPRN", "100070000001", True)],
)
def test_a_drop_by_the_header_alone_is_a_decision(landing, conf, capsys, name, text, decide):
    lines = [f"REF,{name}", *(f"R{n}00,{text}" for n in range(60))]
    contract, draft, _ = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert treatments(contract)[name] == {"drop": True}
    assert ("DECIDE: dropped" in draft) is decide
    assert text not in draft


def test_totals_are_kept_out_by_a_required_column(landing, conf, capsys):
    rows = [f"R{n}00,{'ab'[n % 2]},{n}.50" for n in range(30)]
    lines = ["REF,KIND,COST", *rows, "Total,,435.00", ",,"]
    contract, text, out = drafted(capsys, conf, write(landing / "x_2015.csv", lines))
    assert "probably totals or notes: 1." in out
    assert contract.field("COST").type == "number"
    assert contract.field("KIND").constraints.required
    assert "no required column" not in text
    lines = ["REF,COST", *(f"R{n}00,{n}.50" for n in range(30)), "Total,435.00"]
    _, text, _ = drafted(capsys, conf, write(landing / "y_2015.csv", lines), name="y")
    assert "no required column" in text


def test_units_below_the_header_are_no_values(landing, conf, capsys):
    rows = [f"R{n}00,{n}.50,2015-01-{n % 28 + 1:02d}" for n in range(30)]
    file = write(landing / "x_2015.csv", ["REF,COST,DAY", ",£,dd/mm/yyyy", *rows])
    contract, text, out = drafted(capsys, conf, file)
    assert [f.type for f in contract.fields] == ["string", "number", "date"]
    assert "units or further names: 1." in out
    assert "DECIDE: rows below the header have units" in text


def test_identifiers_of_few_rows_are_a_decision(landing, conf, capsys):
    file = write(landing / "x_2015.csv", ["REF,LAchildID,SENT", "A,DfEX0,2015-01-02",
                                          "B,child fails,2015-01-03"])  # fmt: skip
    contract, text, out = drafted(capsys, conf, file)
    assert contract.field("LAchildID").socare.pseudonymise == "child"
    assert contract.field("REF").socare.keep == "as_is"
    assert "DECIDE: the header names an identifier, and 2 rows are too few to judge" in text
    assert "identifier of a person (personal)" in out


def test_names_in_two_rows_are_a_decision(landing, conf, capsys):
    rows = [f"R{n},{n},4.50,3.25" for n in range(30)]
    file = write(landing / "x_2015.csv", ["Costs", "Ref,Visits,Cost,", ",,April,May", *rows])
    path = conf / "datasets" / "x.yaml"
    code, _, err = onboard(capsys, file, "--header", "3", "--write", path)
    assert code == 0, err
    words = path.read_text("utf-8").replace("#", "").split()
    assert "Declare dialect.headerRows: [2, 3]" in " ".join(words)


def test_days_of_local_times_are_taken_in_their_zone(landing, conf, capsys):
    days = [f"R{m}{n}00,2015-{m:02d}-{n:02d}T00:00:00+0{s}:00" for m, s in ((1, 0), (7, 1))
            for n in range(1, 20)]  # fmt: skip
    file = write(landing / "x_2015.csv", ["REF,OPENED", *days])
    contract, text, _ = drafted(capsys, conf, file)
    opened = contract.field("OPENED")
    assert (opened.type, opened.socare.zone) == ("datetime", "Europe/London")
    assert opened.socare.day == "opened_day"
    assert "DECIDE: the offsets are those of the United Kingdom" in text
    births = [d.replace("2015", f"19{30 + i}") for i, d in enumerate(days)]
    file = write(landing / "y_2015.csv", ["REF,DOB,OPENED", *(
        f"{b},{d.partition(',')[2]}" for b, d in zip(births, days, strict=True))])  # fmt: skip
    contract, _, _ = drafted(capsys, conf, file, name="y")
    assert contract.field("DOB").socare.day is None
