"""Files of unknown form: encoding, delimiter, header, rows, periods, and what is printed."""

import re
import subprocess
import sys
from datetime import date

import pytest
from onboarding import PASSES, VALUES, onboard, write

from socare_spark.contracts.periods import Calendar
from socare_spark.onboarding.command import main
from socare_spark.onboarding.file_periods import find_periods
from socare_spark.onboarding.layout import find_layout
from socare_spark.onboarding.source_table import read_csv_table
from socare_spark.onboarding.source_text import MAX_BYTES


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing" / "passes"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def conf_of(tmp_path):
    folder = tmp_path / "conf" / "datasets"
    folder.mkdir(parents=True)
    return folder


def test_a_file_is_described(landing, capsys):
    code, out, err = onboard(capsys, write(landing / "passes_2015.csv", PASSES))
    assert (code, err) == (0, "")
    first = out.splitlines()[0]
    assert first == (
        "passes/passes_2015.csv: 60 rows, 9 columns, utf-8 (ASCII only), delimiter comma, header "
        "in row 1"
    )
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "identifier of a record" in lines["PASS_ID"]
    assert "identifier of a person" in lines["PERID"]
    assert "name of a person" in lines["SURNAME"]
    assert "date of birth" in lines["DOB"]
    assert "%d/%m/%Y" in lines["ISSUED"]
    assert "postcode" in lines["POSTCODE"]
    assert "e-mail address" in lines["EMAIL"]
    assert "free text" in lines["NOTES"]
    assert "Candidate keys: PASS_ID; PERID" in out
    assert "Periods: 2015 (calendar years)" in out


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["passes_2015.csv", "passes_2015.csv.gz", "passes.csv"])
def test_no_value_of_a_cell_is_printed(landing, capsys, name, header):
    lines = PASSES if header else PASSES[1:]
    write(landing / "passes_2014.csv", ["Passes of Quillfeather,,,,", "", *lines])
    path = write(landing / name, [*lines, "Quillfeather,,,,,,,,", "B1 1QQ,zz@qq.org"])
    for files in ([path], [path, landing / "passes_2014.csv"]):
        _, out, err = onboard(capsys, *files)
        text = (out + err).lower()
        assert out
        assert not [v for v in VALUES if v in text]


def test_names_of_an_uncertain_header_are_not_printed(landing, capsys):
    path = write(landing / "x_2015.csv", ["Quill,Feather", "Nib,Ink", "Pen,Paper"])
    code, out, _ = onboard(capsys, path)
    assert code == 0
    assert "not certain" in out
    assert "column 1" in out
    assert "Quill" not in out
    _, out, _ = onboard(capsys, path, "--header", "1")
    assert "Quill" in out
    code, _, errors = onboard(capsys, path, "--header", "99")
    assert code == 2
    assert "--header 99: the beginning of the file has" in errors
    _, out, _ = onboard(capsys, path, "--header", "none")
    assert "3 rows" in out


@pytest.mark.parametrize(
    "lines",
    [
        ["Cases for,Quill Feather,Team,North", "Ref,Ward,Day,Cost", *["1,A,2015-01-01,4"] * 9],
        ["Run by:,Quill", "Sheet:,Feather", "Ref,Cost", *["1,4"] * 9],
        ["Cases for,Quill,Ink", "Client,Ward,Team", *["x,y,z", "u,v,w"] * 9],
        ["John Smith,Quill", *["1,A"] * 9],
        ["REF,COST", "Quill,Feather", *["1,4"] * 9],
    ],
)
def test_a_line_of_the_header_width_before_the_header_is_not_printed(landing, capsys, lines):
    path = write(landing / "x_2015.csv", lines)
    code, out, err = onboard(capsys, path)
    assert code == 0, err
    assert "not certain" in out
    assert not [word for word in ("Quill", "Feather", "Smith") if word in out]


def test_units_below_a_header_leave_it_certain():
    found = find_layout("REF,COST,DAY\n,£,dd/mm/yyyy\n" + "R1,4,2015-01-01\n" * 5).header
    assert (found.row, found.certain, found.units) == (1, True, 1)


@pytest.mark.parametrize(
    ("lines", "delimiter", "row", "names"),
    [
        (["a,b,c", "1,2,3"], ",", 1, ("a", "b", "c")),
        (["ID;COST", "1;2,5", "2;3,5"], ";", 1, ("ID", "COST")),
        (["ID\tNAME", "1\tx, y"], "\t", 1, ("ID", "NAME")),
        (["ID|NOTE", "1|a;b", "2|c;d"], "|", 1, ("ID", "NOTE")),
        (["Passes 2015", "", "ID,CENTRE,DAY", "1,A,2015-01-01"], ",", 3, ("ID", "CENTRE", "DAY")),
        (["Passes,,", "ID,CENTRE,DAY", "1,A,2015-01-01"], ",", 2, ("ID", "CENTRE", "DAY")),
        (['"B1 1AY",10,406523', '"B1 1BA",10,406875'], ",", None, ()),
        (["4000001,2015-01-01", "4000002,2015-01-02"], ",", None, ()),
        (["ward,2011,2012", "A,3,4", "B,5,6"], ",", 1, ("ward", "2011", "2012")),
        (["WD21CD,count", "E05011118,4"], ",", 1, ("WD21CD", "count")),
        (["ID", "1", "2"], ",", 1, ("ID",)),
    ],
)  # fmt: skip
def test_delimiter_and_header(lines, delimiter, row, names):
    found = find_layout("\n".join(lines) + "\n")
    assert (found.delimiter, found.header.row) == (delimiter, row)
    assert found.header.certain
    assert row is None or found.header.names == names


def test_quotes_and_delimiters_at_line_ends():
    assert find_layout("ID,NAME\n1,'a, b'\n2,'c'\n").quote == "'"
    assert find_layout('ID,NAME\n1,"a \\"b\\" c"\n').escape == "\\"
    assert find_layout('ID,NAME\n1,"a ""b"" c"\n').escape == ""
    assert find_layout("ID,N\n1,2,\n3,4,\n").trailing
    assert not find_layout("ID,N,M\n1,2,\n3,4,\n").trailing


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16le"), ("utf-16le", "utf-16le"),
     ("utf-16be", "utf-16be"), ("cp1252", "windows-1252")],
)  # fmt: skip
def test_encodings(landing, encoding, found):
    lines = ["ID,TOWN", *(f"{n},Köln – Süd" for n in range(30))]
    table = read_csv_table(write(landing / "x.csv", lines, encoding))
    assert (table.encoding, table.rows, table.ascii_only) == (found, 30, False)
    plain = read_csv_table(write(landing / "y.csv", ["ID,TOWN", "1,Leeds"], encoding))
    assert plain.ascii_only is (found in ("utf-8", "windows-1252"))
    assert table.names == ["ID", "TOWN"]
    assert not table.problems


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_counted_as_by_ingest(landing, end):
    lines = ["ID,NOTE", '1,"two\nlines"', "", "2,x", ",", "3,y,z", "4"]
    table = read_csv_table(write(landing / "x.csv", lines, end=end))
    assert (table.rows, table.odd_rows) == (4, 2)


def test_notes_after_the_data_are_not_data(landing):
    lines = ["ID,A,B,C", *(f"{n},1,2,3" for n in range(30)), "Total,,,", "Source: the council,,,"]
    table = read_csv_table(write(landing / "x.csv", lines))
    assert (table.rows, table.notes, table.sampled) == (32, 2, 30)


def test_lines_of_one_cell_at_the_end_are_notes(landing, capsys):
    rows = [f"R{n},{n},2,x" for n in range(30)]
    path = write(landing / "x_2015-03.csv", ["REF,A,B,C", *rows, "9,8", "Signed by Quill", "end"])
    table = read_csv_table(path)
    assert (table.rows, table.odd_rows, table.footers) == (33, 3, 2)
    _, out, _ = onboard(capsys, path)
    assert "another number of cells than the header: 1 " in out
    assert "probably totals or notes: 2." in out
    # The days of a month do not depend on the end of the year.
    assert "Periods: 2015-03\n" in out
    path = write(landing / "y.csv", ["REF,A,B,C", *rows, 'R31,1,2,"x', 'Signed by Quill"'])
    assert read_csv_table(path).footers == 0


def test_a_long_file_is_counted_as_a_whole(landing, monkeypatch):
    monkeypatch.setattr("socare_spark.onboarding.source_text.MAX_BYTES", 1_000)
    monkeypatch.setattr("socare_spark.ingest.csv_records._CHUNK", 1_000)
    assert MAX_BYTES > 200_000_000
    lines = ["Passes", "", "ID,A", *(f"{n},x" for n in range(1_000))]
    table = read_csv_table(write(landing / "x.csv", lines))
    assert table.rows == 1_000
    assert 0 < table.sampled < 1_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"%PDF-1.4 x", "PDF"),
        (b"\x00\x01\x02\x03" * 50, "control characters"),
        (b"\xca\xfe\x00\x01abc", "control characters"),
        (b"ID,NAME\n1,\x81\x8d\n", "neither UTF-8 nor windows-1252"),
        ("ID\n1\n".encode("utf-32"), "UTF-32"),
    ],
    ids=["empty", "blank", "pdf", "alternating", "binary", "encoding", "utf-32"],
)
def test_files_that_are_not_text_are_refused(landing, capsys, content, message):
    path = landing / "x_2015.csv"
    path.write_bytes(content)
    code, out, err = onboard(capsys, path)
    assert (code, out) == (3, "")
    assert message in err
    assert err.count("\n") == 1


def test_header_only(landing, capsys):
    code, out, _ = onboard(capsys, write(landing / "x_2015.csv", ["PASS_ID,SURNAME,DOB"]))
    assert code == 0
    assert "0 rows, 3 columns" in out
    assert "name of a person" in out


def test_an_unclosed_quote_is_reported_as_by_ingest(landing, capsys):
    lines = ["ID,NOTE", *(f"{n},x" for n in range(20)), '21,"open', "22,x"]
    code, out, _ = onboard(capsys, write(landing / "x_2015.csv", lines))
    assert code == 0
    assert "ingest would refuse the file: the quote that opens in line 22 is never closed" in out


def test_one_row_is_singular(landing, conf_of, capsys):
    path = write(landing / "x_2015.csv", ["PASS_ID,DAY", "C1000,2015-01-01"])
    _, out, _ = onboard(capsys, path, "--header", "1", "--write", conf_of / "x.yaml")
    assert "x_2015.csv: 1 row, 2 columns" in out
    assert "1 comment with DECIDE needs a decision" in out


def test_many_columns(landing, capsys):
    names = [f"FIELD_{n}" for n in range(29)]
    rows = [",".join(str(n + i) for i in range(29)) for n in range(30)]
    _, out, _ = onboard(capsys, write(landing / "x_2015.csv", [",".join(names), *rows]))
    assert "29 columns" in out
    assert all(f"\n{name} " in out for name in names)


def test_files_of_years_are_compared(landing, capsys):
    write(landing / "p_2014.csv", ["PASS_ID,Person Id,CENTRE", "1,44,A", "2,45,B"])
    write(landing / "p_2015.csv", ["PASS_ID,PERSON_ID,CENTER,WARD", "3,44,A,X", "4,46,B,Y"])
    _, out, _ = onboard(capsys, *landing.iterdir())
    assert "passes/p_2014.csv: the column CENTER is probably spelled 'CENTRE'" in out
    assert "The column WARD is absent from passes/p_2014.csv" in out
    assert "Person Id" not in out


@pytest.mark.parametrize(
    ("old", "new", "old_text", "new_text", "joined"),
    [
        ("CENTRE", "CENTER", "A", "A", True),
        ("CENTRE", "CENTER", "A", "B", False),
        ("COST_2014", "COST_2015", "4.50", "4.50", False),
        ("CONTACT", "CONTRACT", "Quill Feather", "7", False),
        ("START_DATE", "STAR_DATE", "2014-01-01", "2014-02-01", True),
    ],
)
def test_columns_of_similar_names_are_joined_by_their_content(
    landing, capsys, old, new, old_text, new_text, joined
):
    write(landing / "p_2014.csv", [f"PASS_ID,DAY,{old}", *[f"1,2014-01-01,{old_text}"] * 5])
    write(landing / "p_2015.csv", [f"PASS_ID,DAY,{new}", *[f"3,2015-01-01,{new_text}"] * 5])
    _, out, _ = onboard(capsys, *landing.iterdir())
    assert (f"the column {new} is probably spelled '{old}'" in out) is joined
    assert (f"The column {new} is absent from" in out) is not joined


def test_files_of_different_datasets_are_refused(landing, capsys):
    write(landing / "a_2014.csv", ["PASS_ID,CENTRE,DAY", "1,A,2014-01-01"])
    write(landing / "b_2014.csv", ["TENANCY_ID,RENT,LANDLORD", "1,2.50,X"])
    code, _, err = onboard(capsys, *landing.iterdir())
    assert code == 3
    assert "different datasets" in err


@pytest.mark.parametrize("arguments", [[], ["missing.csv"], ["--header", "0"]])
def test_usage_errors(tmp_path, capsys, arguments):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "pattern", "year_ends"),
    [
        (["p/a_2014.csv", "p/a_2015_r2.csv.gz"], r"p/a_(?P<period>\d{4})", ""),
        (["p/a_2013-14.csv", "p/a_2014-15.csv"], r"p/a_(?P<period>\d{4}[-_./]\d{1,2})", "03-31"),
        (["p/2017Q1.csv", "p/2017Q2.csv"], r"p/(?P<period>\d{4}[-_./]?[Qq][1-4])", ""),
        (["p/v2_2017-01.csv", "p/v2_2017-12.csv"], r"p/v2_(?P<period>\d{4}[-_./]\d{1,2})", ""),
        (["p/201701.csv", "p/201702.csv"], r"p/(?P<period>\d{6})", ""),
        (["p/20170131.csv", "p/20170228.csv"], r"p/(?P<period>\d{8})", ""),
        (["p/2017-W05.csv"], r"p/(?P<period>\d{4}[-_./]?[Ww]\d{1,2})", ""),
        (["p/2015/north.csv", "p/2016/south.csv"], r"p/(?P<period>\d{4})(?P<part>.*?)", ""),
    ],
)
def test_periods_of_names(names, pattern, year_ends):
    found = find_periods(names, {})
    assert found.pattern.startswith(pattern)
    assert found.year_ends == year_ends
    assert all(re.fullmatch(found.pattern, name) for name in names)
    for name in names:
        match = re.fullmatch(found.pattern, name)
        assert match["period"] == found.periods[name]
        found.calendar.days(match["period"])


def test_years_of_one_number_are_financial_if_the_dates_end_in_march():
    names = ["p/a_2017.csv", "p/a_2018.csv"]
    ends = {names[0]: date(2018, 3, 30), names[1]: date(2019, 4, 1)}
    found = find_periods(names, ends)
    assert (found.year_ends, found.named_by) == ("03-31", "start")
    assert found.calendar == Calendar(3, 31, "start")
    ends = {names[0]: date(2017, 12, 30), names[1]: date(2018, 12, 31)}
    assert find_periods(names, ends).year_ends == ""


@pytest.mark.parametrize(
    ("name", "renamed"),
    [("p/Referrals Jan 2015.csv", "p/Referrals 2015-01.csv"), ("p/2015_September.csv", "p/2015-09"),
     ("p/a-March-2015 v2.csv", "p/a-2015-03 v2.csv"), ("p/Apr-Jun 2015.csv", "such as 2015-04"),
     ("p/marks 2015.csv", ""), ("p/2015-01 January.csv", "")],
)  # fmt: skip
def test_months_in_words_are_a_problem(name, renamed):
    problems = find_periods([name], {}).problems
    assert bool(problems) is bool(renamed)
    assert not problems or renamed in problems[0]


def test_years_beside_months_are_a_doubt():
    found = find_periods(["p/a_2015.csv", "p/a_2015-02.csv"], {})
    assert any("can overlap" in doubt for doubt in found.doubts)


def test_days_in_the_future_do_not_name_a_file(landing, capsys):
    today = date.today()
    rows = [f"R{n},{today.year + 5}-02-{n + 1:02d},{today}" for n in range(9)]
    file = write(landing / "x.csv", ["REF,REVIEW,OPENED", *rows])
    _, out, _ = onboard(capsys, file, "--header", "1")
    assert f"rename the file to passes/x_{today}.csv" in out


def test_names_without_a_period_are_a_problem():
    found = find_periods(["p/a.csv"], {})
    assert "YYYY-MM-DD" in found.problems[0]
    assert "quarter" in find_periods(["p/2017-1.csv", "p/2017-2.csv"], {}).problems[0]


def test_a_line_break_in_a_cell_does_not_end_its_record(landing, monkeypatch):
    # Arrow separates these records wrongly, without an error, if a block of lines ends in a cell.
    monkeypatch.setattr("socare_spark.onboarding.source_table._BLOCK", 8)
    table = read_csv_table(write(landing / "x.csv", ["A,B", '"\n",""""']), 1)
    assert (table.rows, table.odd_rows) == (1, 0)
    assert [column.texts.to_pylist() for column in table.columns] == [[""], ['"']]


def test_the_description_of_files_imports_no_spark(landing):
    path = write(landing / "passes_2015.csv", PASSES)
    code = (
        "import sys; from socare_spark.onboarding.command import main; main(sys.argv[1:]); "
        "sys.exit(bool({'pyspark', 'delta', 'mlflow'} & {*sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"60 rows" in found.stdout
