"""The scan of records, against a naive state machine and the standard library, and its refusals."""

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socare_spark.contracts.field import Field
from socare_spark.errors import DataError
from socare_spark.ingest import csv_records
from socare_spark.ingest.file_profile import profile_file
from socare_spark.ingest.format_diagnosis import wrong_header

texts = st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r", b"\r\n", b" "]), max_size=24)


def naive(data):
    """The records of some bytes, character by character; None where a quote breaks the rules."""
    found, record, state = [], b"", "start"
    signs = [data[i : i + 1] for i in range(len(data))]
    for i, sign in enumerate(signs):
        if state == "quoted":
            record += sign
            state = "quote" if sign == b'"' else "quoted"
            continue
        if state == "quote" and sign == b'"':
            record, state = record + sign, "quoted"
            continue
        if sign in (b"\n", b"\r"):
            if not (sign == b"\n" and i and signs[i - 1] == b"\r"):
                found.append(record)
            record, state = b"", "start"
        elif sign == b",":
            record, state = record + sign, "start"
        elif state == "quote":
            return None
        else:
            state = "quoted" if sign == b'"' and state == "start" else "plain"
            record += sign
    if state == "quoted":
        return None
    return [r for r in [*found, record] if r]


def scanned(pieces):
    try:
        blocks = list(csv_records.blocks(iter(pieces), ","))
    except DataError:
        return None
    return [block.record(i) for block in blocks for i in range(block.starts.size)]


@settings(deadline=None)
@given(parts=texts, size=st.integers(1, 30))
def test_scan_equals_a_state_machine(parts, size):
    data = b"".join(parts)
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert scanned(pieces) == naive(data)


@settings(deadline=None)
@given(parts=texts)
def test_records_of_an_accepted_file_equal_those_of_the_csv_module(parts):
    found = scanned([b"".join(parts)])
    if found is None:
        return
    text = b"".join(parts).decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    again = [next(csv.reader(io.StringIO(r.decode(), newline=""))) for r in found]
    assert again == rows


def file_of(folder, content, name="x.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FIELDS = [
    Field(name="ID", constraints={"required": True}, socare={"pseudonymise": "person"}),
    Field(name="DAY", type="date", socare={"keep": "as_is"}),
    Field(name="NOTE", socare={"keep": "as_is"}),
    Field(name="KIND", socare={"keep": "as_is"}),
]
HEADER = "ID,DAY,NOTE,KIND\n"


def row(i, note="Home care", kind="HC"):
    return f"{4000000 + i},2012-02-{i % 28 + 1:02},{note},{kind}\n"


def rows(start, end):
    return "".join(row(i) for i in range(start, end))


@pytest.mark.parametrize(
    "content",
    [
        HEADER + rows(0, 3) + row(3, '"open') + rows(4, 9),  # never closed
        HEADER + rows(0, 3) + row(3, '"open') + rows(4, 9) + row(9, '"quoted"'),
        HEADER + rows(0, 3) + row(3, '"open') + rows(4, 9) + row(9, '6" pipe'),
        HEADER + rows(0, 3) + row(3, '"open') + rows(4, 9) + row(9, '12"'),  # they pair
        HEADER + rows(0, 3) + row(3, '"open') + row(4, '12"'),  # two records alone
        HEADER + row(0) + row(1) + row(2) + row(3, '"open') + rows(4, 9) + row(9, '", and"'),
        HEADER + rows(0, 3) + row(3, '"open') + row(4, '""') + row(5, '12"'),
        HEADER + rows(0, 3) + row(3, '"ends "early, and goes on"'),
        HEADER + rows(0, 3) + row(3, '"open') + "x" * 9_000 + '"' + rows(4, 5),  # too long
    ],
)
def test_a_quote_that_is_not_closed_refuses_the_file_and_names_its_line(tmp_path, content):
    with pytest.raises(DataError, match="line 5"):
        profile_file(file_of(tmp_path, content), "utf-8", ",", FIELDS)


@pytest.mark.parametrize(
    ("note", "count"),
    [
        ('"12 High Street, Moseley\nBirmingham, B13 8AA"', 1),
        ('"Flat 2\n12 High Street\nMoseley, Birmingham\n"', 1),
        ('"Dear Sir,\nI came, I saw, I won, and went\nYours, ""Bob"""', 1),
        ('12" pipe', 1),
        ('x"note', 1),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_cell_of_several_lines_is_legitimate(tmp_path, note, count, first):
    head, at, more = "NOTE,ID,DAY,KIND", FIELDS[2:3] + FIELDS[:2] + FIELDS[3:], rows
    if first:
        lines = "".join(f"{note},{4000000 + i},2012-02-03,HC\n" for i in range(count))
        text = head + "\n" + "".join(f"x,{i},2012-02-02,HC\n" for i in range(40, 49)) + lines
    else:
        at = FIELDS[:2] + FIELDS[3:] + FIELDS[2:3]
        text = "ID,DAY,KIND,NOTE\n" + f"7,2012-02-03,HC,{note}\n" * count + more(0, 0)
    assert profile_file(file_of(tmp_path, text), "utf-8", ",", at).records == text.count(",HC")


ADDRESSES = [
    Field(name="ID", constraints={"required": True}, socare={"pseudonymise": "person"}),
    Field(name="ADDRESS", socare={"keep": "as_is"}),
    Field(name="DAY", type="date", socare={"keep": "as_is"}),
    Field(name="NOTE", socare={"keep": "as_is"}),
]


def addressed(start, end, street, day):
    return "".join(f"{i},{street.format(i=i)},{day},fine\n" for i in range(start, end))


@pytest.mark.parametrize("street", ["{i} Elm Road", "The Elms ({i})"])
@pytest.mark.parametrize("day", ["2014-01-02", ""])
@pytest.mark.parametrize("end", [52, 53, 90])
def test_swallowed_record_is_found_in_a_shape_absent_from_the_sample(tmp_path, street, day, end):
    text = "ID,ADDRESS,DAY,NOTE\n" + addressed(10, 50, "{i} Elm Road", "2014-01-02")
    text += '50,50 Elm Road,2014-01-02,"help, now\n' + addressed(51, end, street, day)
    text += f'{end},{street.format(i=end)},2014-01-02,a screen of 5"\n'
    with pytest.raises(DataError, match="opens in line 42"):
        profile_file(file_of(tmp_path, text), "utf-8", ",", ADDRESSES)


def test_two_records_of_two_columns_are_found(tmp_path):
    text = "ID,NOTE\n" + "".join(f"{i},a note of {i}\n" for i in range(10, 50))
    with pytest.raises(DataError, match="opens in line 42"):
        profile_file(file_of(tmp_path, text + '50,"open\n51,12"\n'), "utf-8", ",", ADDRESSES[:2])


@pytest.mark.parametrize(
    "cell",
    [
        "c/o Smith\n1, The Mews",
        "Flat 3\n12, High Street",
        "Flat 3\n12,High Street",
        "Flat 3\n12, High Street\nMoseley",
        "Flat 3\n12,High Street\nMoseley, Birmingham",
        "Items:\n1,bread\n2,milk\n3,eggs",
    ],
)
@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("many", [True, False])
def test_a_house_number_before_a_comma_is_no_identifier(tmp_path, cell, width, many):
    streets = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if many else "A"
    lines = [
        [f"{4000000 + i}", " ".join([street] * (i + 1)), "2014-01-02", "fine"]
        for i, street in enumerate(streets)
    ]
    lines.append(["4000099", f'"{cell}"', "2014-01-02", "fine"])
    text = "".join(",".join(line[:width]) + "\n" for line in [[f.name for f in ADDRESSES], *lines])
    profile = profile_file(file_of(tmp_path, text), "utf-8", ",", ADDRESSES[:width])
    assert profile.records == len(lines)


@pytest.mark.parametrize("cell", ["c/o Smith\n1, The Mews", "Flat 3\n12, High Street"])
@pytest.mark.parametrize("width", [2, 4])
def test_an_address_is_legitimate_beside_short_identifiers(tmp_path, cell, width):
    lines = [[str(i), f"{i} Elm Road", "2014-01-02", "fine"] for i in range(1, 30)]
    lines.append(["30", f'"{cell}"', "2014-01-02", "fine"])
    text = "".join(",".join(line[:width]) + "\n" for line in [[f.name for f in ADDRESSES], *lines])
    profile = profile_file(file_of(tmp_path, text), "utf-8", ",", ADDRESSES[:width])
    assert profile.records == len(lines)


def test_one_comma_in_prose_does_not_refuse_a_file_of_two_columns(tmp_path):
    text = 'ID,NOTE\n1,short\n2,"Dear Sir,\nthank you, all is well\nYours, Bob"\n3,x\n'
    profile = profile_file(file_of(tmp_path, text), "utf-8", ",", [FIELDS[0], FIELDS[2]])
    assert profile.records == 3


def test_lines_without_a_value_and_repeated_headers_are_no_records(tmp_path):
    text = ',,,\n"",,,\n' + HEADER + row(1) + ",,,\n  \n" + HEADER.upper() + row(2) + ",,,\n" * 99
    profile = profile_file(file_of(tmp_path, text), "utf-8")
    assert (profile.records, profile.header) == (2, ("ID", "DAY", "NOTE", "KIND"))
    assert dict(profile.skipped) == {"before": 2, "blank": 101, "header": 1}


NAMED = "Record ID,REQUEST DATE,Service_Description,Person"


@pytest.mark.parametrize(
    "spelling",
    [
        "record_id,request date,SERVICE-DESCRIPTION,person",
        '"Record  ID","Request Date"," Service Description ",PERSON',
        " RECORD.ID,Request_Date,service description,Person ",
        "\ufeffRecord ID,REQUEST DATE,Service_Description,Person",
    ],
)
def test_repeated_headers_are_found_in_any_spelling(tmp_path, spelling):
    text = f"{NAMED}\n1,2,a,b\n{spelling}\n3,4,c,d\n"
    profile = profile_file(file_of(tmp_path, text), "utf-8")
    assert (profile.records, dict(profile.skipped)) == (2, {"header": 1})


@pytest.mark.parametrize(
    "header",
    [
        "ID - Client,DOB,SEX",
        "NHS - Number,DOB,Team",
        "Ref. / No.,DOB,SEX",
        "No. - of days,ID,KIND",
        '"ID - Client",DOB,SEX',
        "A,B",
        "ID,\u212ag,DOB",  # its lower case is kg
    ],
)
def test_repeated_headers_are_found_with_any_marks(tmp_path, header):
    text = f"{header}\n1,2,3\n{header}\n4,5,6\n"
    profile = profile_file(file_of(tmp_path, text), "utf-8")
    assert (profile.records, dict(profile.skipped)) == (2, {"header": 1})


def test_another_order_of_names_with_marks_refuses_the_file(tmp_path):
    text = "ID - Client,DOB,SEX\n1,2,3\nSEX,ID - Client,DOB\n4,5,6\n"
    with pytest.raises(DataError, match="line 3 is another header"):
        profile_file(file_of(tmp_path, text), "utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "Record ID,1,a person,x",
        "request for a record,2,service,person",
        "service description,3,,",
        "person,4,records,description of a service",
    ],
)
def test_records_with_words_of_the_header_are_records(tmp_path, line):
    text = f"{NAMED}\n1,2,a,b\n{line}\n"
    profile = profile_file(file_of(tmp_path, text), "utf-8")
    assert (profile.records, dict(profile.skipped)) == (2, {})


def test_a_header_of_another_order_within_the_file_refuses_it(tmp_path):
    text = HEADER + row(1) + "ID,NOTE,DAY,KIND\n" + row(2)
    with pytest.raises(DataError, match="line 3 is another header"):
        profile_file(file_of(tmp_path, text), "utf-8")


def test_gzip_members_are_one_file_and_padding_refuses_it(tmp_path):
    one, other = gzip.compress((HEADER + row(1)).encode()), gzip.compress(row(2).encode())
    assert profile_file(file_of(tmp_path, one + other, "x.csv.gz"), "utf-8").records == 2
    with pytest.raises(DataError, match="bytes follow"):
        profile_file(file_of(tmp_path, one + b"\0" * 99, "x.csv.gz"), "utf-8")


def test_a_record_without_end_is_refused_long_before_it_is_in_memory():
    read = 0

    def endless():
        nonlocal read
        for _ in range(300):
            read += 1 << 20
            yield b"x" * (1 << 20)

    with pytest.raises(DataError, match="longer than"):
        list(csv_records.blocks(endless(), ","))
    assert read < 4 << 20


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16le", "utf-16be"])
def test_utf_16_is_named_and_read_where_it_is_declared(tmp_path, encoding):
    path = file_of(tmp_path, (HEADER + row(1, "café")).encode(encoding))
    if encoding != "utf-16":  # it has a mark, which decides
        with pytest.raises(DataError, match=f"UTF-16.*{encoding}"):
            profile_file(path, "utf-8")
    profile = profile_file(path, encoding)
    assert (profile.records, profile.header[0]) == (1, "ID")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"PK\x03\x04...xl/workbook.xml", "an Excel workbook.*declare format: xlsx"),
        (
            b"PK\x03\x04...mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "OpenDocument.*declare format: ods",
        ),
        (b"PK\x03\x04...2014.csv", "a zip archive.*unpack"),
        (b"\xd0\xcf\x11\xe0....", "an Excel workbook.*declare format: xls in"),
        (
            b"\xd0\xcf\x11\xe0" + bytes(1 << 19) + "EncryptedPackage".encode("utf-16-le"),
            "locked with a password: remove the password",
        ),
        (b"<!DOCTYPE html><html>", "a web page.*save"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<Children/>', "is XML.*declare format: xml"),
        (b'<?xml version="1.0"?>\n<html>', "a web page"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "Excel 2003.*save it as .xlsx",
        ),
    ],
)
def test_other_file_formats_are_refused_by_name(tmp_path, head, says):
    with pytest.raises(DataError, match=says):
        profile_file(file_of(tmp_path, head), "utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ID;DAY;NOTE\n1;2;3\n", 'semicolons.*declare dialect.delimiter ";"'),
        ("ID\tDAY\tNOTE\n1\t2\t3\n", "tabs.*declare"),
        ("ID|DAY|NOTE\n", "bars.*declare"),
        ("sep=;\nID;DAY;NOTE\n", "semicolons and begins with a line sep="),
        ("Extract of May\n\nID,DAY,NOTE\n", r"in row 3.*declare dialect.headerRows: \[3\]"),
        # The text of the header is also a part of an earlier line.
        ("x ID,DAY,NOTE y\n\nID,DAY,NOTE\n", r"headerRows: \[3\]"),
        ("\nID,DAY,NOTE\n", r"headerRows: \[2\]"),
        ('"Extract\nof May"\r\nID,DAY,NOTE\r\n', r"headerRows: \[2\]"),
        ("1,2,3\n4,5,6\n", "no header, declare dialect.header: false"),
    ],
)
def test_wrong_delimiter_or_misplaced_header_is_explained(text, says):
    import re

    assert re.search(says, wrong_header(text, ",", {"id", "day", "note"}))
