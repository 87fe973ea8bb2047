"""Files whose records two contracts read are reported."""

import pytest

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
    assert shared_file_warnings(claims) == [
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
    assert shared_file_warnings(claims) == []
    assert shared_file_warnings([claims[0], (contract("b", **first), {"x"})])
