"""Files with the same remark share one warning."""

from collections import Counter
from datetime import date
from types import SimpleNamespace

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.file_warnings import file_warnings
from socare_spark.ingest.unclaimed_files import unclaimed_warnings

VISITS = Contract.model_validate(
    {
        "name": "visits",
        "schema": {"primaryKey": "none", "fields": [{"name": "ID", "socare": {"keep": "as_is"}}]},
        "socare": {"files": r"(?P<period>\d+)\.csv"},
    }
)


def file(name, dropped=(), records=1, mojibake=0, **skipped):
    profile = SimpleNamespace(
        skipped=Counter(skipped), records=records, encoding="utf-8",
        mojibake=Counter({"NOTE": mojibake} if mojibake else {}),
    )  # fmt: skip
    landed = SimpleNamespace(
        name=name, period=name.removesuffix(".csv"), encoding="utf-8", contract=VISITS
    )
    return SimpleNamespace(landed=landed, profile=profile, columns=("ID",), dropped=dict(dropped))


def test_undeclared_columns_of_different_files_are_one_warning():
    files = [file("2014.csv", {"A": "", "": ""}), file("2015.csv", {"A": "", "IDS": "ID"})]
    assert file_warnings(VISITS, files) == [
        "visits: 3 columns of 2 files are not in the contract and were not read: 'IDS' (looks "
        "like ID), 'A', one without a name."
    ]


def test_undeclared_elements_of_xml_are_no_columns_and_have_names():
    declared = VISITS.model_dump(by_alias=True, exclude_unset=True)
    declared["format"] = "xml"
    declared["socare"]["xml"] = {"record": "a/b"}
    declared["socare"]["files"] = r"(?P<period>\d+)\.xml"
    contract = Contract.model_validate(declared)
    # A field that no record has is a column without a name of the converted file.
    files = [file("2014.csv", {"": "", "A/B": "", "@c": ""})]
    assert file_warnings(contract, files) == [
        "2014.csv: 2 elements are not in the contract and were not read: 'A/B', '@c'."
    ]
    (one,) = file_warnings(contract, [file("2014.csv", {"": "", "A/B": ""})])
    assert one == "2014.csv: the element 'A/B' is not in the contract and was not read."
    assert file_warnings(contract, [file("2014.csv", {"": ""})]) == []


def test_many_undeclared_columns_are_counted():
    (warning,) = file_warnings(VISITS, [file("2014.csv", {f"C{n}": "" for n in range(29)})])
    assert warning.startswith("2014.csv: 29 columns are not in the contract and were not read: ")
    assert warning.endswith("'C9' and 19 more.")


def test_remarks_of_many_files_are_counted_together():
    files = [
        file("2013.csv", blank=2), file("2014.csv", blank=1, before=1, mojibake=2),
        file("2015.csv", records=0, mojibake=1), file("2016.csv", records=0),
    ]  # fmt: skip
    skipped, empty, mojibake = file_warnings(VISITS, files)
    assert skipped == (
        "2013.csv and 1 more file: lines were skipped (1 before the header, 3 without a value)."
    )
    assert empty == "2015.csv and 1 more file: the files contain a header and no record."
    assert mojibake.startswith("2014.csv and 1 more file: the column NOTE has 3 cells")


def test_periods_that_begin_in_the_future_are_one_warning():
    this_year = f"{date.today().year}.csv"
    files = [file(this_year), file("2090-02-28.csv"), file("2091.csv")]
    (warning,) = file_warnings(VISITS, files)
    assert warning.startswith("2090-02-28.csv and 1 more file: the period in the name is in the")


def test_files_of_several_folders_with_one_reason_are_one_warning():
    names = [f"{folder}/{number}.pdf" for folder in "ab" for number in range(4)]
    assert unclaimed_warnings(dict.fromkeys(names, "no contract")) == [
        "8 files (a/0.pdf, a/1.pdf, a/2.pdf, a/3.pdf, b/0.pdf and 3 more) were not read: no "
        "contract."
    ]
    assert unclaimed_warnings({"a.pdf": "no contract"}) == ["a.pdf was not read: no contract."]
