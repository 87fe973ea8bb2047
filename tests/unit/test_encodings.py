"""A mark decides the encoding; UTF-8 is not read as an 8-bit code page; mojibake is counted."""

import gzip

import pytest

from socare_spark.contracts.field import Field
from socare_spark.errors import DataError
from socare_spark.ingest import csv_records
from socare_spark.ingest.file_profile import profile_file, record_bytes
from socare_spark.ingest.mojibake import _IN_8_BIT, _IN_UTF_8, suspect_offsets

FIELDS = [
    Field.model_validate({"name": "ID", "socare": {"keep": "as_is"}}),
    Field.model_validate({"name": "NOTE", "socare": {"keep": "as_is"}}),
    Field.model_validate({"name": "SURNAME", "socare": {"drop": True}}),
]
MARKED = "\ufeffID,NOTE,SURNAME\n1,café – £5,x\n"
PLAIN = MARKED.removeprefix("\ufeff")


def file_of(folder, data, name="x.csv"):
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("declared", ["windows-1252", "us-ascii", "utf-16", "utf-16le", "utf-8"])
@pytest.mark.parametrize("written", ["utf-8", "utf-16le", "utf-16be"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_mark_decides_the_encoding(tmp_path, declared, written, name):
    path = file_of(tmp_path, MARKED.encode(written), name)
    look = profile_file(path, declared, ",", FIELDS)
    assert (look.encoding, look.header[0], look.records) == (written, "ID", 1)
    assert list(record_bytes(look, [1])) == ["1,café – £5,x".encode()]


@pytest.mark.parametrize("declared", ["windows-1252", "iso-8859-1", "iso-8859-15"])
@pytest.mark.parametrize(
    "text", [PLAIN, PLAIN.replace("–", "”"), "ID,NOTE\n1,€\n", "ID,£\n1,2\n", "1\nЖурнал\n"]
)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("size", [1 << 22, 1])
def test_utf_8_is_not_read_as_an_8_bit_code_page(tmp_path, monkeypatch, declared, text, name, size):
    monkeypatch.setattr(csv_records, "_CHUNK", size)
    with pytest.raises(DataError, match="declare the encoding utf-8 for its period"):
        profile_file(file_of(tmp_path, text.encode(), name), declared)


@pytest.mark.parametrize("text", ["café", "É’s", "£5 – “x”", "naïve Ã", "plain", "Â£ and é"])
def test_text_of_an_8_bit_code_page_is_read(tmp_path, text):
    path = file_of(tmp_path, f"ID,NOTE\n1,{text}\n".encode("cp1252"))
    assert profile_file(path, "windows-1252").records == 1


@pytest.mark.parametrize("declared", ["iso-8859-1", "iso-8859-15"])
@pytest.mark.parametrize("text", ["it’s", "£5 – “x”", "café…", "1,€"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_windows_1252_is_not_read_as_iso_8859(tmp_path, declared, text, name):
    data = ("ID,NOTE\n" + "1,é\n" * 9 + f"2,{text}\n").encode("cp1252")
    with pytest.raises(DataError, match="declare the encoding windows-1252 for its period"):
        profile_file(file_of(tmp_path, data, name), declared)


@pytest.mark.parametrize("declared", ["iso-8859-1", "iso-8859-15"])
def test_text_of_iso_8859_is_read(tmp_path, declared):
    data = bytes(range(0xA0, 0x100))
    assert profile_file(file_of(tmp_path, b"ID,NOTE\n1," + data + b"\n"), declared).records == 1


@pytest.mark.parametrize("start", [b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"])
def test_utf_32_is_named(tmp_path, start):
    with pytest.raises(DataError, match="is UTF-32"):
        profile_file(file_of(tmp_path, start + "ID\n1\n".encode("utf-32le")), "utf-8")


MOJIBAKE = [
    "cafÃ©",
    "Day care â€“ older",
    "Â£5",
    "itâ€™s",
    "ï¿½",
    "lost \ufffd",
    "Å‚",
    "ðŸ˜€",
    "Ã\x83Â©",
    "it\x92s",
    "\x80 5",
]
LEGITIMATE = ["café – £5", "É’s", "SÃO", "“Å”", "BÂ 7", "Ä…", "ÅNGSTRÖM", "Ð’", "naïve", "Ó¡"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le"])
def test_mojibake_is_counted_by_column(tmp_path, encoding):
    rows = [f'{i},{text},{text}\n"{text}\n",b,c\n' for i, text in enumerate(MOJIBAKE + LEGITIMATE)]
    path = file_of(tmp_path, ("ID,NOTE,SURNAME\n" + "".join(rows)).encode(encoding))
    look = profile_file(path, encoding, ",", FIELDS)
    assert dict(look.mojibake) == {"ID": len(MOJIBAKE), "NOTE": len(MOJIBAKE)}


def test_mojibake_is_counted_in_an_8_bit_code_page(tmp_path):
    data = "ID,NOTE,SURNAME\n1,café,x\n2,".encode("cp1252") + "café –,x\n3,y,£\n".encode()
    look = profile_file(file_of(tmp_path, data), "windows-1252", ",", FIELDS)
    assert dict(look.mojibake) == {"NOTE": 1}


@pytest.mark.parametrize(
    ("encoding", "pattern"), [("utf-8", _IN_UTF_8), ("windows-1252", _IN_8_BIT)]
)
def test_the_first_two_bytes_exclude_no_suspect(encoding, pattern):
    data = b"".join(
        bytes([first, second, third, 0x41])
        for first in range(0x80, 0x100)
        for second in range(0x100)
        for third in (0xC2, 0xCB, 0xBD)
    )
    expected = {match.start() for match in pattern.finditer(data)}
    assert expected <= set(suspect_offsets(data, encoding).tolist())
