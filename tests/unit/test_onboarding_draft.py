"""Drafts of contracts: treatments, keys, spellings, and files that are never overwritten."""

import pytest
import yaml
from onboarding import PASSES, VALUES, onboard, write

from socare_spark.config import read_model
from socare_spark.contracts.contract import Contract


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
    assert "Name tenant if the identifiers" in text
    assert "Add to schemes" not in out


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
