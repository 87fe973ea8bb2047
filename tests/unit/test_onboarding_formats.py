"""Workbooks and XML returns of unknown form."""

from datetime import date

import pytest
import yaml
from onboarding import onboard
from openpyxl import Workbook

from socare_spark.config import read_model
from socare_spark.contracts.contract import Contract
from socare_spark.errors import DataError
from socare_spark.onboarding.source_files import read_table
from socare_spark.onboarding.xml_source import read_xml_table

CIN = """<?xml version="1.0" encoding="UTF-8"?>
<Message xmlns="urn:x"><Header><Year>2015</Year></Header><Children>{children}</Children></Message>
"""
CHILD = """<Child><ChildIdentifiers><LAchildID>Quill{n}00</LAchildID></ChildIdentifiers>
<CINdetails><CINreferralDate>2015-0{m}-11</CINreferralDate><PrimaryNeedCode>N{m}</PrimaryNeedCode>
<Note kind="a">Feather {n}</Note></CINdetails>
<CINdetails><CINreferralDate>2015-0{m}-21</CINreferralDate><PrimaryNeedCode>N1</PrimaryNeedCode>
<Note kind="b">Quill</Note></CINdetails></Child>"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "conf" / "datasets").mkdir(parents=True)
    (tmp_path / "landing" / "cin").mkdir(parents=True)
    return tmp_path / "landing" / "cin"


@pytest.fixture
def cin(folder):
    path = folder / "cin_2015.xml"
    children = "".join(CHILD.format(n=n, m=n % 9 + 1) for n in range(30))
    path.write_text(CIN.format(children=children), "utf-8")
    return path


@pytest.fixture
def workbook(folder):
    book = Workbook()
    notes, sheet = book.active, book.create_sheet("Passes")
    notes.append(["Quill wrote this"])
    sheet.append(["Leisure passes"])
    sheet.append([])
    sheet.append(["Pass ID", "Issued", "Price", "Active"])
    for n in range(30):
        sheet.append([1000 + n, date(2015, n % 12 + 1, 3), n + 0.5, n % 2 == 0])
    sheet.merge_cells("A1:D2")
    sheet.merge_cells("D4:D5")
    path = folder / "passes_2015.xlsx"
    book.save(path)
    return path


def draft_of(path, capsys, *arguments):
    target = path.parents[2] / "conf" / "datasets" / "x.yaml"
    code, out, err = onboard(capsys, path, "--write", target, *arguments)
    assert code == 0, err
    return read_model(target, Contract), out


def test_records_of_xml_have_the_values_above_them(cin):
    table = read_xml_table(cin)
    assert table.xml.record == "Message/Children/Child/CINdetails"
    assert table.rows == 60
    paths = {c.name: table.xml.fields.get(c.name, c.name) for c in table.columns}
    assert paths == {
        "CINreferralDate": "CINreferralDate",
        "PrimaryNeedCode": "PrimaryNeedCode",
        "Note": "Note",
        "kind": "Note/@kind",
        "LAchildID": "../ChildIdentifiers/LAchildID",
        "Year": "../../../Header/Year",
    }


def test_another_element_can_be_the_record(cin):
    table = read_xml_table(cin, "Message/Children/Child")
    assert table.rows == 30
    # CINdetails occurs twice in a child, so its values are not those of one record.
    assert table.names == ["LAchildID", "Year"]
    with pytest.raises(DataError, match="Message/Children/Child/CINdetails"):
        read_xml_table(cin, "Message/Nothing")


def test_elements_that_repeat_within_a_record_are_named_and_offered(folder, capsys):
    child = """<Child><ID>Quill{n}</ID><Disabilities><Disability>HAND</Disability>
    <Disability>SEE{n}</Disability></Disabilities></Child>"""
    path = folder / "cin_2015.xml"
    path.write_text(CIN.format(children="".join(child.format(n=n) for n in range(9))), "utf-8")
    target = folder.parents[1] / "conf" / "datasets" / "a.yaml"
    _, out, _ = onboard(capsys, path, "--record", "Message/Children/Child", "--write", target)
    repeated = "Message/Children/Child/Disabilities/Disability"
    assert f"repeat within a record, and are not columns (--record PATH): {repeated}." in out
    assert repeated in target.read_text("utf-8")
    table = read_xml_table(path, repeated)
    assert table.rows == 18
    fields = {c.name: table.xml.fields.get(c.name, c.name) for c in table.columns}
    assert fields == {"Disability": ".", "ID": "../../ID", "Year": "../../../../Header/Year"}


def test_a_draft_of_xml_declares_the_paths(cin, capsys):
    contract, out = draft_of(cin, capsys)
    assert contract.format == "xml"
    assert contract.socare.xml.record == "Message/Children/Child/CINdetails"
    assert contract.socare.xml.fields["LAchildID"] == "../ChildIdentifiers/LAchildID"
    assert contract.field("LAchildID").socare.pseudonymise == "child"
    assert contract.field("CINreferralDate").type == "date"
    assert "Quill" not in out
    assert "Feather" not in out


def test_the_sheet_with_most_rows_is_read(workbook, capsys):
    contract, out = draft_of(workbook, capsys)
    assert "30 rows, 4 columns, xlsx, sheet 'Passes', header in row 3" in out
    assert "Other sheets with cells (--sheet NAME): 'Sheet'" in out
    assert contract.format == "xlsx"
    assert contract.dialect.sheet_name == "Passes"
    assert contract.socare.merged_cells == "all"
    assert "Groups of cells that are merged over several rows: 1." in out
    assert contract.dialect.header_rows == (3,)
    assert [f.type for f in contract.fields] == ["string", "date", "number", "boolean"]
    assert contract.field("Pass ID").socare.pseudonymise == "x"
    assert "Quill" not in out


def test_a_sheet_can_be_named(workbook):
    assert read_table(workbook, sheet="Sheet", header="none").rows == 1
    with pytest.raises(DataError, match="has no sheet 'X'"):
        read_table(workbook, sheet="X")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a_2015.xlsx", b"PK\x03\x04 xl/workbook.xml", "cannot be read as xlsx"),
        ("a_2015.xml", b"<?xml version='1.0'?><a><b></a>", "well-formed"),
        ("a_2015.xml", b"<?xml version='1.0'?><a><b>1</b></a>", "no records"),
        ("a_2015.xml", b"<html><body>x</body></html>", "web page"),
        ("a_2015.zip", b"PK\x03\x04 other", "zip archive"),
    ],
)
def test_damaged_files_are_refused(folder, capsys, name, content, message):
    path = folder / name
    path.write_bytes(content)
    code, out, err = onboard(capsys, path)
    assert (code, out) == (3, "")
    assert message in err


def test_repeated_names_and_files_without_a_header_are_drafted_by_position(folder, capsys):
    path = folder / "a_2015.csv"
    rows = [f"{n + 1000},{n},{n % 3}" for n in range(30)]
    path.write_text("\n".join(["REF,COUNT,COUNT", *rows]) + "\n", "utf-8")
    contract, _ = draft_of(path, capsys)
    assert {f.name: f.socare.position for f in contract.fields} == {
        "REF": None, "COUNT": 2, "COUNT 2": 3,
    }  # fmt: skip
    (folder.parents[1] / "conf" / "datasets" / "x.yaml").unlink()
    path.write_text("\n".join(rows) + "\n", "utf-8")
    contract, _ = draft_of(path, capsys)
    assert contract.dialect.header is False
    assert [(f.name, f.socare.position) for f in contract.fields] == [
        ("column 1", 1), ("column 2", 2), ("column 3", 3),
    ]  # fmt: skip
    text = (folder.parents[1] / "conf" / "datasets" / "x.yaml").read_text("utf-8")
    assert yaml.safe_load(text)["dialect"] == {"delimiter": ",", "header": False}
