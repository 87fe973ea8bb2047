"""Files of other forms, as the canonical CSV that ingest reads."""

import csv
import datetime
import gzip
import re
import shutil
import tracemalloc
import zipfile
from dataclasses import replace

import pytest
import xlwt
from openpyxl import Workbook
from pydantic import ValidationError

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.dialect import Dialect
from socare_spark.errors import DataError
from socare_spark.ingest.canonical_csv import csv_of
from socare_spark.ingest.discovery import discover_files, inspect_file
from socare_spark.ingest.workbooks import read_sheet
from socare_spark.onboarding.workbook_source import read_workbook_table
from socare_spark.storage.local_files import sha256_of

ABC = [{"name": n, "socare": {"keep": "as_is"}} for n in "ABC"]


def contract(fields=ABC, encoding="utf-8", dialect=None, format="csv", **ours):
    return Contract.model_validate(
        {
            "name": "visits",
            "format": format,
            "encoding": encoding,
            "dialect": dialect or {},
            "schema": {"primaryKey": "none", "fields": fields},
            "socare": {"files": r"(?P<period>\d{4})\.\w+(\.gz)?", **ours},
        }
    )


def landed(tmp_path, content, declared, name="2015.csv"):
    data = content.encode(declared.encoding) if isinstance(content, str) else content
    shutil.rmtree(tmp_path / "landing", ignore_errors=True)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / name).write_bytes(data)
    return discover_files(tmp_path / "landing", declared)[0][0]


def rows(tmp_path, content, declared, name="2015.csv"):
    file = csv_of(landed(tmp_path, content, declared, name), tmp_path / "work")
    with file.path.open(encoding="utf-8", newline="") as text:
        return [*csv.reader(text, strict=True)]


def refusal(tmp_path, content, declared, name="2015.csv"):
    with pytest.raises(DataError) as refused:
        rows(tmp_path, content, declared, name)
    return str(refused.value)


def test_a_plain_file_is_read_where_it_is(tmp_path):
    file = landed(tmp_path, "A,B,C\n1,2,3\n", contract())
    assert csv_of(file, tmp_path).path == file.path


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ({"headerRows": [3]}, "Title\n\nA,B,C\n1,2,3\n", [["1", "2", "3"]]),
        ({"header": False}, "1,2,3\n4,,6\n", [["1", "2", "3"], ["4", "", "6"]]),
        ({"quoteChar": "'"}, "A,B,C\n'x,y','it''s',\"\n", [["x,y", "it's", '"']]),
        ({"quoteChar": None}, 'A,B,C\n"x,y",2\n', [['"x', 'y"', "2"]]),
        (
            {"escapeChar": "\\", "doubleQuote": False},
            'A,B,C\n"x\\"y",a\\,b,"z"\n',
            [['x"y', "a,b", "z"]],
        ),
        ({"commentChar": "#"}, "A,B,C\n# 1,2,3\n1,2,#3\n", [["1", "2", "#3"]]),
        (
            {"commentChar": "#"},
            'A,B,C\n#,"begin\n"#1 High St",2,"3\n# 4"\n#,end"\n',
            [["#1 High St", "2", "3\n# 4"]],
        ),
        (
            {"escapeChar": "\\"},
            'A,B,C\n\\N,C:\\temp,"a\\"b\\\\"\na\\\nb,\\,,\\\\N\n',
            [["\\N", "C:\\temp", 'a"b\\'], ["a\nb", ",", "\\N"]],
        ),
        ({"skipInitialSpace": True}, 'A,B,C\n1, "x,y", 3\n', [["1", "x,y", "3"]]),
        ({"headerRows": [1, 2], "headerJoin": "_", "delimiter": ";"}, ";;C\nA;B\n1;2;3\n", None),
    ],
)
def test_dialects(tmp_path, dialect, text, expected):
    expected = expected or [["1", "2", "3"]]
    assert rows(tmp_path, text, contract(dialect=dialect)) == [["A", "B", "C"], *expected]


def test_names_of_several_header_rows_are_joined(tmp_path):
    text = "Child,,Cost\nid,name,\n1,2,3\n"
    fields = [{"name": n, "socare": {"keep": "as_is"}} for n in ("Child id", "name", "Cost")]
    declared = contract(fields, dialect={"headerRows": [1, 2]})
    assert rows(tmp_path, text, declared)[0] == ["Child id", "name", "Cost"]


def test_delimiter_at_the_end_of_records_begins_no_cell(tmp_path):
    declared = contract(trailing_delimiter=True)
    for header in ("A,B,C", "A,B,C,"):
        text = f"{header}\n1,2,3,\n1,2,,\n1,2,3\n1,2,3,4\n1,2,\n"
        assert rows(tmp_path, text, declared) == [
            ["A", "B", "C"],
            ["1", "2", "3"],
            ["1", "2", ""],
            ["1", "2", "3"],
            ["1", "2", "3", "4"],
            ["1", "2", ""],
        ]
    without = contract(trailing_delimiter=True, dialect={"header": False})
    assert rows(tmp_path, "1,2,3,\n", without) == [["A", "B", "C"], ["1", "2", "3"]]


def test_cells_keep_line_ends_quotes_and_encodings(tmp_path):
    declared = contract(dialect={"commentChar": "#"}, encoding="windows-1252")
    text = 'A,B,C\n"one\ntwo","say ""no""",café – £5\n"a\rb","c\r\nd",x\n'
    assert rows(tmp_path, text, declared)[1:] == [
        ["one\ntwo", 'say "no"', "café – £5"],
        ["a\rb", "c\r\nd", "x"],
    ]
    utf_16 = contract(dialect={"commentChar": "#"}, encoding="utf-16")
    assert rows(tmp_path, "A,B,C\né,2,3\n", utf_16) == [["A", "B", "C"], ["é", "2", "3"]]
    zipped = gzip.compress(b"\xef\xbb\xbfA,B,C\n1,2,3\n")
    marked = contract(dialect={"commentChar": "#"})
    assert rows(tmp_path, zipped, marked, "2015.csv.gz")[0] == ["A", "B", "C"]


def test_faulty_files_are_refused_without_a_cell(tmp_path):
    quoted = contract(dialect={"commentChar": "#"})
    for text in ('A,B,C\n1,"secret" x,3\n', 'A,B,C\n1,"secret,3\n'):
        message = refusal(tmp_path, text, quoted)
        assert "record in line 2" in message and "secret" not in message
    assert "0xC3" not in refusal(tmp_path, b"A,B,C\n\xff,2,3\n", quoted)
    low = contract(dialect={"headerRows": [9]})
    assert "the file has 2 rows" in refusal(tmp_path, "A,B,C\n1,2,3\n", low)
    assert "blank" in refusal(tmp_path, "A,B,C\n,,\n1,2,3\n", contract(dialect={"headerRows": [2]}))
    wide = contract(dialect={"header": False})
    assert "has 4 cells" in refusal(tmp_path, "1,2,3,4\n", wide)


def test_positions_name_columns_that_the_header_repeats(tmp_path):
    fields = [
        {"name": "A", "socare": {"keep": "as_is"}},
        {"name": "Cost", "socare": {"keep": "as_is", "position": 2}},
        {"name": "Cost 2", "socare": {"keep": "as_is", "position": 4}},
    ]
    declared = contract(fields, spellings=[{"column": "Cost 2", "also": ["Cost"]}])
    file = inspect_file(landed(tmp_path, "A,Cost,Note,Cost\n1,2,3,4\n", declared), tmp_path)
    assert file.columns == ("A", "Cost", None, "Cost 2")
    moved = inspect_file(landed(tmp_path, "A,Note,Cost,Cost\n1,2,3,4\n", declared), tmp_path)
    assert "lacks the column Cost at position 2" in moved.reason
    once = contract([fields[0], {"name": "Cost", "socare": {"keep": "as_is"}}])
    twice = inspect_file(landed(tmp_path, "A,Cost,Cost\n1,2,3\n", once), tmp_path)
    assert "declare a field with socare.position" in twice.reason
    bare = contract(
        [{"name": "X", "socare": {"keep": "as_is", "position": 3}}], dialect={"header": False}
    )
    assert rows(tmp_path, "1,2,3,4\n", bare)[0] == ["column 1", "column 2", "X", "column 4"]


FIELDS = [
    {"name": "ID", "socare": {"keep": "as_is"}},
    {"name": "DAY", "type": "date", "format": "%d/%m/%Y", "socare": {"keep": "as_is"}},
    {"name": "TIME", "type": "datetime", "socare": {"keep": "as_is"}},
    {"name": "COST", "type": "number", "socare": {"keep": "as_is"}},
    {
        "name": "OPEN",
        "type": "boolean",
        "trueValues": ["Y"],
        "falseValues": ["N"],
        "socare": {"keep": "as_is"},
    },
]
DAY, MOMENT = datetime.date(2015, 6, 1), datetime.datetime(2015, 6, 1, 13, 5)
EXPECTED = [
    ["ID", "DAY", "TIME", "COST", "OPEN"],
    ["4000001", "01/06/2015", "2015-06-01T13:05:00", "0.3", "Y"],
    ["007", "01/06/2015", "2015-06-01T00:00:00", "12.5", "N"],
    ["#N/A", "2/6/2015", "", "1e+20", ""],
]


def xlsx(path, *extra):
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Data")
    sheet["B2"] = "Visits"
    table = [
        EXPECTED[0],
        [4000001, DAY, MOMENT, 0.1 + 0.2, True],
        ["007", DAY, datetime.datetime(2015, 6, 1), 12.5, False],
        ["#N/A", "2/6/2015", None, 1e20, None],
        *extra,
    ]
    for i, row in enumerate(table, start=4):
        for j, value in enumerate(row, start=2):
            sheet.cell(i + (i > 5), j, value)
    sheet["B8"].data_type = "e"
    book.save(path)
    return path.read_bytes()


def test_sheet_of_an_excel_workbook(tmp_path):
    data = xlsx(tmp_path / "a.xlsx")
    declared = contract(FIELDS, format="xlsx", dialect={"headerRows": [4], "sheetName": "Data"})
    found = rows(tmp_path, data, declared, "2015.xlsx")
    assert [row[1:] for row in found] == EXPECTED
    single = contract(FIELDS, format="xlsx", dialect={"headerRows": [4]})
    assert [row[1:] for row in rows(tmp_path, data, single, "2015.xlsx")] == EXPECTED


def test_sheet_of_an_old_excel_workbook(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    style = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    times = xlwt.easyxf(num_format_str="DD/MM/YYYY HH:MM")
    table = [EXPECTED[0], [4000001, DAY, MOMENT, 0.3, True], ["x", DAY]]
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            kind = {1: style, 2: times}.get(j) if i else None
            sheet.write(i, j, value, *([kind] if kind else []))
    sheet.row(2).set_cell_error(3, "#REF!")
    sheet.row(2).set_cell_boolean(4, False)
    book.save(tmp_path / "a.xls")
    declared = contract(FIELDS, format="xls")
    found = rows(tmp_path, (tmp_path / "a.xls").read_bytes(), declared, "2015.xls")
    assert found[1] == ["4000001", "01/06/2015", "2015-06-01T13:05:00", "0.3", "Y"]
    assert found[2] == ["x", "01/06/2015", "", "#REF!", "N"]


def test_two_contracts_read_two_sheets_of_one_workbook(tmp_path):
    book = Workbook()
    book.active.append(["A", "B", "C"])
    book.create_sheet("More").append(["C", "B", "A"])
    book.save(tmp_path / "a.xlsx")
    first = contract(format="xlsx", dialect={"sheetNumber": 1})
    second = contract(format="xlsx", dialect={"sheetName": "More"})
    second = second.model_copy(update={"name": "more"})
    file = landed(tmp_path, (tmp_path / "a.xlsx").read_bytes(), first, "2015.xlsx")
    files = [csv_of(replace(file, contract=c), tmp_path / "work").path for c in (first, second)]
    assert [path.read_text() for path in files] == ["A,B,C\n", "C,B,A\n"]


def test_digest_is_that_of_the_file_before_it_was_read(tmp_path, monkeypatch):
    declared = contract(dialect={"commentChar": "#"})
    file = landed(tmp_path, "A,B,C\n1,2,3\n", declared)
    before = sha256_of(file.path)

    def changing(*args):
        converted = csv_of(*args)
        file.path.write_text("A,B,C\n4,5,6\n")
        return converted

    monkeypatch.setattr("socare_spark.ingest.discovery.csv_of", changing)
    assert inspect_file(file, tmp_path).profile.sha256 == before


def sheet(tmp_path, cells, change=None):
    """The rows of a workbook with the columns of FIELDS, whose sheet is changed as text."""
    book = Workbook()
    book.active.append(EXPECTED[0])
    book.active.append(cells)
    for cell in book.active[2]:
        cell.data_type = "e" if cell.value == "#REF!" else cell.data_type
    book.save(tmp_path / "a.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as source,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as target,
    ):
        for name in source.namelist():
            text = source.read(name)
            if change and name == "xl/worksheets/sheet1.xml":
                text = re.sub(*change, text.decode()).encode()
            target.writestr(name, text)
    fields = [{**FIELDS[1], "format": "%d/%m/%y"} if f is FIELDS[1] else f for f in FIELDS]
    data = (tmp_path / "b.xlsx").read_bytes()
    return rows(tmp_path, data, contract(fields, format="xlsx"), "2015.xlsx")[1]


def test_no_format_moves_a_date_cell_to_another_century(tmp_path):
    found = sheet(tmp_path, ["x", datetime.date(1950, 3, 1)])
    assert found[:2] == ["x", "1950-03-01"]
    assert sheet(tmp_path, ["x", datetime.date(1999, 3, 1)])[1] == "01/03/99"


def test_small_numbers_have_no_exponent(tmp_path):
    assert sheet(tmp_path, [-0.00005])[0] == "-0.00005"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ((r'"(A2|e)"', r"'\1'"), "#REF!"),
        ((r'r="A2" t="e"', 't = "e" r = "A2" '), "#REF!"),
        ((r"<(/?)(c|v|row|is|t|sheetData|worksheet)\b", r"<\1x:\2"), "#REF!"),
        ((r"<v>#REF!</v></c>", "</c>"), "#ERROR"),
        ((r"><v>#REF!</v></c>", "/>"), "#ERROR"),
    ],
)
def test_cells_with_an_error_are_found_in_each_form_of_a_sheet(tmp_path, change, error):
    if "x:" in change[1]:
        # The root declares the prefix.
        change = (change[0] + "|xmlns=", lambda m: m.expand(r"<\1x:\2") if m[2] else "xmlns:x=")
    assert sheet(tmp_path, ["#REF!", None, None, 5], change)[::3] == [error, "5"]


def test_a_damaged_workbook_does_not_end_the_job(tmp_path, monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(path):
        raise PanicException("a cell")

    monkeypatch.setattr("socare_spark.ingest.workbooks.CalamineWorkbook.from_path", panic)
    data = xlsx(tmp_path / "a.xlsx")
    text = contract(FIELDS, format="xlsx")
    assert "cannot be read as xlsx" in refusal(tmp_path, data, text, "2015.xlsx")


MERGED = [["A", "B", "C"], ["1", "2", "3"], ["4", "", "6"], ["", "8", "9"]]
FOOTNOTE = [["", "", ""], ["A note of two rows", "", ""], ["", "", ""]]


def merged_xlsx(path):
    book = Workbook()
    for row in [["Title"], *MERGED, *FOOTNOTE]:
        book.active.append(row)
    for cells in ("A1:C1", "A4:A6", "B3:C3", "A7:C8", "C10:C12"):
        book.active.merge_cells(cells)
    book.save(path)


def merged_xls(path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    for i, row in enumerate([["Title", "", ""], *MERGED]):
        for j, value in enumerate(row):
            sheet.write(i, j, value) if (i, j) not in {(3, 0), (4, 0)} else None
    sheet.write_merge(3, 4, 0, 0, "4")
    book.save(path)


def merged_ods(path):
    def cell(text, more=""):
        return (
            f'<table:table-cell office:value-type="string" {more}>'
            f"<text:p>{text}</text:p></table:table-cell>"
        )

    covered = "<table:covered-table-cell/>"
    lines = [[cell(value) for value in row] for row in MERGED]
    lines[2][0] = cell("4", 'table:number-rows-spanned="2" table:number-columns-spanned="1"')
    lines[3][0] = covered
    title = [cell("Title", 'table:number-rows-spanned="1" table:number-columns-spanned="3"')]
    title += [covered, covered]
    header, *others = ["".join(line) for line in [title, *lines]]
    body = "</table:table-row><table:table-row>".join(others)
    zipped_ods(path, ODS.format(header=header, row=body))


@pytest.mark.parametrize("write", [merged_xlsx, merged_xls, merged_ods])
def test_cells_merged_over_several_records_need_a_declaration(tmp_path, write):
    kind = write.__name__.removeprefix("merged_")
    write(tmp_path / "a")
    data, form = (tmp_path / "a").read_bytes(), {"format": kind, "dialect": {"headerRows": [2]}}
    reason = refusal(tmp_path, data, contract(**form), f"2015.{kind}")
    assert reason.startswith("cells are merged over several records (rows 4 to ")
    assert "of column 1)" in reason
    first = rows(tmp_path, data, contract(**form, merged_cells="first"), f"2015.{kind}")
    every = rows(tmp_path, data, contract(**form, merged_cells="all"), f"2015.{kind}")
    assert [row[0] for row in first][:4] == ["A", "1", "4", ""]
    assert [row[0] for row in every][:4] == ["A", "1", "4", "4"]
    assert [row[2] for row in every][2:4] == ["6", "9"]
    # The note is a record without its other cells. Blank rows within merged cells are none.
    assert [row[0] for row in every][4:] == ["A note of two rows"] * (kind == "xlsx")


@pytest.mark.parametrize("cells", ["A2:A3", "A2:B3"])
def test_merged_cells_count_in_columns_that_are_read_only(tmp_path, cells):
    book = Workbook()
    for row in (["A", "B", "C"], ["1", None, "3"], [None, None, "6"]):
        book.active.append(row)
    book.active.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    data = (tmp_path / "a.xlsx").read_bytes()
    kept, dropped = {"keep": "as_is"}, {"drop": True}

    def declared(a, *, b=dropped, constraints=None):
        fields = [{"name": "A", "socare": a, "constraints": constraints or {}}]
        fields += [{"name": "B", "socare": b}, {"name": "C", "socare": kept}]
        return contract([f for f in fields if f["socare"]], format="xlsx")

    def is_refused(of):
        try:
            return len(rows(tmp_path, data, of, "2015.xlsx")) != 3
        except DataError as error:
            return "declare socare.merged_cells" in str(error)

    assert not is_refused(declared(dropped))
    assert not is_refused(declared(None, b=None))
    assert is_refused(declared(kept))
    assert is_refused(declared(dropped, constraints={"required": True}))
    assert is_refused(declared(dropped, b=kept)) == (cells == "A2:B3")


def test_workbooks_that_do_not_fit_into_memory_are_refused(tmp_path, monkeypatch):
    book = Workbook()
    book.active["A1"], book.active["XFD1048576"] = "A", "x"
    book.save(tmp_path / "a.xlsx")
    data = (tmp_path / "a.xlsx").read_bytes()
    declared = contract(format="xlsx")
    reason = refusal(tmp_path, data, declared, "2015.xlsx")
    assert "cells in 1048576 rows and up to column 16384" in reason
    smaller = changed_part(tmp_path, data, "sheet1.xml", b'ref="A1:XFD1048576"', b'ref="A1:B2"')
    assert "cells in 1048576 rows" in refusal(tmp_path, smaller, declared, "2015.xlsx")
    monkeypatch.setattr("socare_spark.ingest.workbooks._MAX_BYTES", 1000)
    assert "when it is unpacked" in refusal(tmp_path, data, declared, "2015.xlsx")


def changed_part(tmp_path, workbook, name, old, new):
    """A workbook with a part in which a text is replaced."""
    (tmp_path / "before.xlsx").write_bytes(workbook)
    with (
        zipfile.ZipFile(tmp_path / "before.xlsx") as source,
        zipfile.ZipFile(tmp_path / "after.xlsx", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.namelist():
            data = source.read(part)
            if part.endswith(name):
                assert old in data
                data = data.replace(old, new)
            target.writestr(part, data)
    return (tmp_path / "after.xlsx").read_bytes()


def test_an_empty_sheet_of_a_workbook_is_passed_over(tmp_path):
    book = Workbook()
    book.active.append(["A", "B", "C"])
    book.create_sheet("Sheet2")
    book.save(tmp_path / "a.xlsx")
    data = changed_part(
        tmp_path, (tmp_path / "a.xlsx").read_bytes(), "sheet2.xml", b'ref="A1:A1"', b'ref="A1"'
    )
    assert rows(tmp_path, data, contract(format="xlsx"), "2015.xlsx") == [["A", "B", "C"]]
    assert read_workbook_table(tmp_path / "after.xlsx", "xlsx").sheets == ["Sheet"]


@pytest.mark.parametrize("position", range(60, 3000, 350))
def test_damaged_bytes_of_a_workbook_are_one_reason(tmp_path, position):
    data = bytearray(xlsx(tmp_path / "a.xlsx"))
    data[position : position + 40] = b"\xff" * 40
    (tmp_path / "a.xlsx").write_bytes(data)
    for read in (
        lambda: read_sheet(tmp_path / "a.xlsx", "xlsx", Dialect(sheetName="Data")),
        lambda: read_workbook_table(tmp_path / "a.xlsx", "xlsx"),
    ):
        try:
            read()
        except DataError as error:
            assert "workbook" in str(error) or "cannot be read" in str(error)


def test_formatted_cells_without_a_value_do_not_refuse_a_sheet(tmp_path):
    book = Workbook()
    book.active.append(["A", "B", "C"])
    book.active["XFD1048576"].number_format = "0.00"
    book.save(tmp_path / "a.xlsx")
    data = (tmp_path / "a.xlsx").read_bytes()
    assert rows(tmp_path, data, contract(format="xlsx"), "2015.xlsx") == [["A", "B", "C"]]


ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
 office:version="1.2"><office:body><office:spreadsheet><table:table table:name="Data">
 <table:table-row>{header}</table:table-row>
 <table:table-row>{row}</table:table-row>
 </table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(row):
    def cell(kind, attributes, text):
        return (
            f'<table:table-cell office:value-type="{kind}" {attributes}>'
            f"<text:p>{text}</text:p></table:table-cell>"
        )

    header = "".join(cell("string", "", name) for name in EXPECTED[0])
    return ODS.format(header=header, row="".join(cell(*c) for c in row))


def zipped_ods(path, content):
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest='
        '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path.read_bytes()


def test_sheet_of_an_open_document(tmp_path):
    row = [
        ("float", 'office:value="4000001"', "4000001"),
        ("date", 'office:date-value="2015-06-01"', "01/06/15"),
        ("date", 'office:date-value="2015-06-01T13:05:00"', "01/06/15 13:05"),
        ("float", 'office:value="0.3"', "0.30"),
        ("boolean", 'office:boolean-value="true"', "TRUE"),
    ]
    declared = contract(FIELDS, format="ods")
    data = zipped_ods(tmp_path / "a.ods", ods(row))
    assert rows(tmp_path, data, declared, "2015.ods") == EXPECTED[:2]
    row[3] = ("string", 'office:string-value="" calcext:value-type="error"', "#REF!")
    data = zipped_ods(tmp_path / "a.ods", ods(row))
    assert rows(tmp_path, data, declared, "2015.ods")[1][2:] == [*EXPECTED[1][2:3], "#REF!", "Y"]


CELL = '<table:table-cell office:value-type="string" {}><text:p>{}</text:p></table:table-cell>'
EMPTY = '<table:table-cell table:style-name="x>y" table:number-columns-repeated="{}"/>'
NEXT_ROW = '</table:table-row><table:table-row table:number-rows-repeated="{}">'


@pytest.mark.parametrize(
    ("row", "size"),
    [
        (CELL.format("table:number-columns-repeated='16384'", "x") * 2, ""),
        (
            NEXT_ROW.format(9_999) + CELL.format('table:number-columns-repeated="16384"', "x"),
            "10001 rows and up to column 16384",
        ),
        (NEXT_ROW.format(10**9) + CELL.format("", "x"), "1000000002 rows and up to column 3"),
        # A cell far away in a row, below another far away.
        (
            EMPTY.format(9_999) + CELL.format("", "x") + NEXT_ROW.format(10_000) + EMPTY.format(9)
            + NEXT_ROW.format(1) + '<table:table-cell office:value="1"/>',
            "10003 rows and up to column 10000",
        ),
        # Cells and rows without a value at the end, which a program writes for formats.
        (EMPTY.format(16_383) + NEXT_ROW.format(1_048_574) + EMPTY.format(16_384), ""),
        (NEXT_ROW.format(1_048_574) + EMPTY.format(16_384).replace("x>y", "value_1"), ""),
    ],
)  # fmt: skip
def test_open_documents_that_do_not_fit_into_memory_are_refused(tmp_path, row, size):
    header = "".join(CELL.format("", name) for name in "ABC")
    data = zipped_ods(tmp_path / "a.ods", ODS.format(header=header, row=row))
    declared = contract(format="ods")
    if size:
        assert f"a sheet has cells in {size}" in refusal(tmp_path, data, declared, "2015.ods")
    else:
        assert rows(tmp_path, data, declared, "2015.ods")[0][:3] == ["A", "B", "C"]


def test_workbooks_of_another_form_are_refused(tmp_path):
    data = xlsx(tmp_path / "a.xlsx")
    other = contract(FIELDS, format="xlsx", dialect={"sheetName": "Sheet9"})
    assert "'Notes', 'Data'" in refusal(tmp_path, data, other, "2015.xlsx")
    number = contract(FIELDS, format="xlsx", dialect={"sheetNumber": 3})
    assert "2 sheets" in refusal(tmp_path, data, number, "2015.xlsx")
    empty = contract(FIELDS, format="xlsx", dialect={"sheetNumber": 1})
    assert "0 rows" in refusal(tmp_path, data, empty, "2015.xlsx")
    old = contract(FIELDS, format="ods")
    assert "declare format: xlsx" in refusal(tmp_path, data, old, "2015.ods")
    text = contract(FIELDS, format="xlsx")
    assert "declare format: csv" in refusal(tmp_path, "ID,DAY\n", text, "2015.xlsx")
    assert "cannot be read as xlsx" in refusal(tmp_path, "<html>", text, "2015.xlsx")
    assert "cannot be read" in refusal(tmp_path, data[:900], text, "2015.xlsx")
    book = Workbook()
    book.active["A1"] = book.create_sheet("More")["A1"] = "ID"
    book.save(tmp_path / "b.xlsx")
    two = refusal(tmp_path, (tmp_path / "b.xlsx").read_bytes(), text, "2015.xlsx")
    assert "2 sheets of the workbook have cells: declare dialect.sheetName" in two


CENSUS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<Message xmlns="urn:x"><Header><Year>2015</Year></Header><Children>
<Child><Episode date="2015-01-01"><Place>B1</Place><Note>caf\xe9</Note></Episode>
 <Episode date="2015-02-01"><Place/></Episode>
 <Identifiers><Id>7</Id></Identifiers></Child>
<Child><Identifiers><Id>8</Id></Identifiers><Episode><Place>B3, C</Place></Episode></Child>
</Children></Message>"""
EPISODES = {
    "record": "Message/Children/Child/Episode",
    "fields": {"ID": "../Identifiers/Id", "START": "@date", "YEAR": "../../../Header/Year"},
}


def xml_contract(*names, **xml):
    fields = [{"name": n, "socare": {"keep": "as_is", "optional": True}} for n in names]
    return contract(fields, format="xml", xml={**EPISODES, **xml})


def test_records_of_an_xml_file(tmp_path):
    declared = xml_contract("ID", "START", "Place", "YEAR", "Gone")
    data = CENSUS.encode("latin-1")
    assert rows(tmp_path, data, declared, "2015.xml") == [
        ["ID", "START", "Place", "YEAR", ""],
        ["7", "2015-01-01", "B1", "2015", ""],
        ["7", "2015-02-01", "", "2015", ""],
        ["8", "", "B3, C", "2015", ""],
    ]
    near = xml_contract("START", "Place", fields={"START": "@date"})
    assert rows(tmp_path, gzip.compress(data), near, "2015.xml.gz")[1:] == [
        ["2015-01-01", "B1"],
        ["2015-02-01", ""],
        ["", "B3, C"],
    ]
    file = inspect_file(landed(tmp_path, data, declared, "2015.xml"), tmp_path)
    assert file.profile.records == 3
    assert "Note" in file.dropped


def test_values_above_many_records_need_no_memory_for_the_records(tmp_path):
    record = "<Child><Episode><Place>B1</Place><Note>" + "n" * 9_000 + "</Note></Episode></Child>"
    header = "<Header><Year>2015</Year></Header>"
    text = f"<Message><Children>{record * 3_000}</Children>{header}</Message>"
    declared = xml_contract("Place", "YEAR", fields={"YEAR": EPISODES["fields"]["YEAR"]})
    file = landed(tmp_path, text, declared, "2015.xml")
    tracemalloc.start()
    lines = csv_of(file, tmp_path / "work").path.read_text().splitlines()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines[0] == "Place,YEAR"
    assert lines[1:] == ["B1,2015"] * 3_000
    assert peak < len(text)


def test_the_text_of_a_record_is_a_field(tmp_path):
    declared = xml_contract(
        "ID",
        "PLACE",
        record="Message/Children/Child/Episode/Place",
        fields={"ID": "../../Identifiers/Id", "PLACE": "."},
    )
    data = CENSUS.encode("latin-1")
    found = rows(tmp_path, data, declared, "2015.xml")
    assert found[1:] == [["7", "B1"], ["7", ""], ["8", "B3, C"]]


def test_xml_that_is_ambiguous_or_faulty_is_refused(tmp_path):
    twice = xml_contract("ID", record="Message/Children/Child", fields={"ID": "Episode/Place"})
    data = CENSUS.encode("latin-1")
    assert "record 1 has 2 values of ID" in refusal(tmp_path, data, twice, "2015.xml")
    for encoding in ("shift_jis", "foo"):
        other = CENSUS.replace("ISO-8859-1", encoding).encode("latin-1")
        reason = refusal(tmp_path, other, xml_contract("Place", fields={}), "2015.xml")
        assert "encoding that is not supported" in reason
    whole = xml_contract("ID", record="Message/Children/Child", fields={"ID": "Identifiers"})
    assert "contains other elements" in refusal(tmp_path, data, whole, "2015.xml")
    none = xml_contract("ID", record="Message/Nothing", fields={})
    assert "0 records Message/Nothing" in refusal(tmp_path, data, none, "2015.xml")
    declared = xml_contract("Place", fields={})
    assert "not well-formed XML (line 6)" in refusal(tmp_path, data[:300], declared, "2015.xml")
    entity = b'<!DOCTYPE m [<!ENTITY e "x">]><Message>&e;</Message>'
    assert "declares entities" in refusal(tmp_path, entity, declared, "2015.xml")
    lacking = contract(
        [{"name": "Gone", "socare": {"keep": "as_is"}}],
        format="xml",
        xml={**EPISODES, "fields": {}},
    )
    assert "3 records" in refusal(tmp_path, data, lacking, "2015.xml")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"dialect": {"headerRows": [2, 1]}}, "ascending"),
        ({"dialect": {"quoteChar": ","}}, "different characters"),
        ({"dialect": {"doubleQuote": False}}, "needs an escapeChar"),
        ({"dialect": {"header": False, "headerRows": [2]}}, "needs header: true"),
        ({"dialect": {"sheetName": "x"}}, "need format: xlsx"),
        ({"format": "xlsx", "dialect": {"delimiter": ";"}}, "sheetNumber only"),
        ({"format": "xlsx", "dialect": {"sheetName": "x", "sheetNumber": 1}}, "alternatives"),
        ({"format": "xml"}, "need each other"),
        ({"xml": {"record": "M"}}, "need each other"),
        ({"format": "xml", "xml": {**EPISODES, "fields": {"Z": "Y"}}}, "not in schema.fields"),
        ({"format": "xml", "xml": {"record": "M", "fields": {"A": "../B"}}}, "above the root"),
        ({"format": "xml", "xml": {"record": "M", "fields": {"A": "@x/B"}}}, "before its end"),
        ({"format": "xlsx", "trailing_delimiter": True}, "needs format: csv"),
        ({"place": {"area": "A"}}, "area and layer, or x, y and crs"),
        ({"place": {"x": "A", "y": "A", "crs": "EPSG:1"}}, "two columns"),
        ({"place": {"area": "Z", "layer": "ward"}}, "not in schema.fields"),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        contract(**keys)
