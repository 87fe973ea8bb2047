"""What cells mean, from the landing folder to the lake: encodings, keys and odd columns."""

import gzip
from itertools import count

import pytest
from council import HEADER, Council

IDS = count()


def lines(*notes, header=HEADER, end=""):
    rows = [f"{next(IDS)},7,1950-06-15,1999-03-01,,,F,B1 1AA,{n},SMITH{end}" for n in notes]
    return "\n".join([header, *rows, ""])


READ = {
    "1999_marked.csv": ("\ufeff" + lines("Day care – older £", "b")).encode(),
    "1999_zipped.csv.gz": gzip.compress(("\ufeff" + lines("café")).encode()),
    "1999_page.csv": lines("café – £").encode("cp1252"),
    "2015_wide.csv": lines("café").encode("utf-16"),
    "2015_mojibake.csv": lines("cafÃ©", "Day care â€“ older", "Â£5", "café").encode(),
    "2015_more.csv": lines("x", header=HEADER + ",A,NOTES", end=",1,2").encode(),
}
REFUSED = {
    "1999_plain.csv": (lines("Day care – older £").encode(), "declare the encoding utf-8"),
    "1999_late.csv.gz": (gzip.compress(lines(*["a"] * 99, "é").encode()), "declare the encoding"),
}


@pytest.fixture(scope="module")
def landed(spark_session, tmp_path_factory):
    council = Council(spark_session, tmp_path_factory.mktemp("values"))
    files = READ | {name: data for name, (data, _) in REFUSED.items()}
    for name, data in files.items():
        (council.landing / "visits" / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        refused = council.ingests(patch)
    return council, refused


def notes_of(council, name):
    rows = council.lake.read(council.spark, "restricted/visits")
    return [r["note"] for r in rows.where(f"source_file = 'visits/{name}'").sort("line").collect()]


def test_a_mark_decides_and_the_declared_code_page_serves_the_others(landed):
    council, _ = landed
    assert notes_of(council, "1999_marked.csv") == ["Day care – older £", "b"]
    assert notes_of(council, "1999_zipped.csv.gz") == ["café"]
    assert notes_of(council, "1999_page.csv") == ["café – £"]
    assert notes_of(council, "2015_wide.csv") == ["café"]
    said = "\n".join(council.run.warnings)
    assert "1999_marked.csv and 1 more file: read as utf-8, which the byte order mark names" in said
    assert "2015_wide.csv: read as utf-16le" in said
    assert "1999_page.csv: read as" not in said


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_with_another_meaning_is_refused(landed, name):
    council, refused = landed
    assert any(name in line and REFUSED[name][1] in line for line in refused.splitlines())
    assert notes_of(council, name) == []


def test_mojibake_is_kept_and_counted_by_file_and_column(landed):
    council, _ = landed
    assert notes_of(council, "2015_mojibake.csv")[0] == "cafÃ©"
    (said,) = [w for w in council.run.warnings if "wrong encoding" in w]
    assert said.startswith("visits/2015_mojibake.csv: the column NOTE has 3 cells")


def test_undeclared_columns_of_a_file_are_one_sentence(landed):
    council, _ = landed
    (said,) = [w for w in council.run.warnings if "in no contract" in w]
    assert said == (
        "visits/2015_more.csv: 2 columns are in no contract and were not read: 'A', 'NOTES'."
    )
