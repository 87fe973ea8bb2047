"""Files whose records two contracts read are reported."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.shared_files import shared_file_warnings


def contract(name, **keys):
    return Contract.model_validate({
        "name": name,
        "schema": {"primaryKey": "none", "fields": [{"name": "A", "socare": {"keep": "as_is"}}]},
        "socare": {"files": "(?P<period>x)"} | keys.pop("socare", {}),
        **keys,
    })  # fmt: skip


def test_files_of_two_contracts_are_named():
    files = {f"{n}.csv" for n in range(2010, 2018)}
    claims = [(contract("a"), files), (contract("b"), {*files, "x"}), (contract("c"), {"y"})]
    assert shared_file_warnings(claims, Path()) == [
        "2010.csv, 2011.csv, 2012.csv, 2013.csv, 2014.csv and 3 more: the contracts a and b read "
        "the same records: make socare.files of one of them narrower if this is not intended."
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"format": "xlsx", "dialect": {"sheetName": "A"}},
         {"format": "xlsx", "dialect": {"sheetName": "B"}}),
        ({"format": "xml", "socare": {"xml": {"record": "a/b"}}},
         {"format": "xml", "socare": {"xml": {"record": "a/c"}}}),
    ],
)  # fmt: skip
def test_sheets_and_elements_are_different_records(first, second):
    claims = [(contract("a", **first), {"x"}), (contract("b", **second), {"x"})]
    assert shared_file_warnings(claims, Path()) == []
    assert shared_file_warnings([claims[0], (contract("b", **first), {"x"})], Path())


@pytest.fixture
def workbook(tmp_path):
    book = Workbook()
    book.active.title = "Notes"
    book.create_sheet("Data").append(["A"])
    book.save(tmp_path / "book.xlsx")
    return tmp_path


def claim(name, **dialect):
    return contract(name, format="xlsx", dialect=dialect), {"book.xlsx"}


@pytest.mark.parametrize("second", [{"sheetNumber": 2}, {}])
def test_a_sheet_is_the_same_by_its_name_its_number_and_alone(workbook, second):
    claims = [claim("a", sheetName="Data"), claim("b", **second), claim("c", sheetName="Notes")]
    (warning,) = shared_file_warnings(claims, workbook)
    assert warning.startswith("book.xlsx: the contracts a and b read the same records")


@pytest.mark.parametrize("second", [{"sheetNumber": 1}, {"sheetNumber": 3}])
def test_sheets_of_another_number_and_workbooks_that_cannot_be_read_are_not_the_same(
    workbook, second
):
    claims = [claim("a", sheetName="Data"), claim("b", **second)]
    assert shared_file_warnings(claims, workbook) == []
    (workbook / "book.xlsx").write_bytes(b"PK")
    assert shared_file_warnings(claims, workbook) == []
    (workbook / "book.xlsx").unlink()
    assert shared_file_warnings(claims, workbook) == []
