"""Where records begin and end, against the standard library's reader."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socare_spark.errors import DataError
from socare_spark.ingest import csv_records
from socare_spark.ingest.file_profile import profile_file, record_bytes

BLANKS = "".join(map(chr, range(33)))
cells = st.text(st.sampled_from('ab,"\n\r é'), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=12)


def written(rows, newline):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("content", "found", "multiline"),
    [
        (b"a,b\n1,2\n", 1, False),
        (b"a,b\n1,2", 1, False),  # no line break at the end
        (b"a,b\r\n1,2\r\n3,4\r\n", 2, False),
        (b"a,b\r1,2\r", 1, False),  # lone carriage returns end records too
        (b'a,b\n1,"x\ny"\n', 1, True),
        (b'a,b\n1,"say ""no"", now"\n', 1, False),
        (b"a,b\n\n1,2\n\n\n", 1, False),  # blank lines are no records
        (b"a,b\n  \n1,2\n", 1, False),  # nor are lines of blanks
        (b'a,b\n6" pipe,2\n3,4\n', 2, False),  # a quote within a cell is only a character
        (b"\xef\xbb\xbfa,b\n1,2\n", 1, False),  # a byte order mark is not part of the header
        (b"a,b\n", 0, False),
    ],
)
def test_counts_records(tmp_path, content, found, multiline):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    look = profile_file(path, "utf-8")
    assert (look.records, look.multiline, look.header) == (found, multiline, ("a", "b"))


@settings(deadline=None)
@given(rows=tables, newline=st.sampled_from(["\n", "\r\n"]))
def test_records_are_those_of_the_standard_reader(tmp_path_factory, rows, newline):
    path = tmp_path_factory.mktemp("r") / "x.csv"
    path.write_bytes(written([["h1", "h2", "h3", "h4"], *rows], newline))
    look = profile_file(path, "utf-8")
    lines = np.arange(1, look.records + 1)
    parts = [p.decode() for p in record_bytes(look, lines)]
    again = [row for part in parts for row in csv.reader(io.StringIO(part, newline=""))]
    assert again == [row for row in rows if any(cell.strip(BLANKS) for cell in row)]


@settings(deadline=None)
@given(rows=tables, size=st.integers(1, 9))
def test_block_size_does_not_change_the_records(rows, size):
    data = written([["h1", "h2"], *rows], "\r\n")
    pieces = [data[i : i + size] for i in range(0, len(data), size)]

    def shape(parts):
        found = []
        for block in csv_records.blocks(iter(parts), ","):
            found += [block.data[s:e] for s, e in zip(block.starts, block.ends, strict=True)]
        return found

    assert shape(pieces) == shape([data])


def test_gzip_is_decompressed_for_reading_and_hashed_as_stored(tmp_path):
    plain, zipped = tmp_path / "x.csv", tmp_path / "x.csv.gz"
    plain.write_bytes(b"a,b\n1,2\n")
    zipped.write_bytes(gzip.compress(b"a,b\n1,2\n", mtime=0))
    one, other = profile_file(plain, "utf-8"), profile_file(zipped, "utf-8")
    assert one.records == other.records == 1
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    ("name", "content", "encoding", "says"),
    [
        ("x.csv", b"", "utf-8", "empty"),
        ("x.csv", b"\n\n", "utf-8", "empty"),
        ("x.csv", b"a\n\xff\n", "utf-8", "not utf-8"),
        ("x.csv", b"a\n\xe2\x82", "utf-8", "not utf-8"),  # cut within a character
        ("x.csv", b"a\n\x81\n", "windows-1252", "not windows-1252"),
        ("x.csv", gzip.compress(b"a\n1\n", mtime=0), "utf-8", "does not end in .gz"),
        ("x.csv.gz", b"a\n1\n", "utf-8", "not gzipped"),
        ("x.csv.gz", gzip.compress(b"a\n" + b"1\n" * 9999, mtime=0)[:-20], "utf-8", "cut short"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path, name, content, encoding, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        profile_file(path, encoding)
