"""What analysts and operators see gives no pseudonym back, and no date of birth."""

import json
import sqlite3

import deltalake
import pytest
from pyspark.sql import functions as F

AGREEMENTS = ("agreements_closed", "agreements_costed", "agreements_adult")
# Where pseudonyms belong.
EXACT = ("restricted", "superseded")


@pytest.fixture(scope="module")
def images(spark_session, study):
    """Each person's token and its images under functions that anybody can compute."""
    people = deltalake.DeltaTable(study.lake / "restricted/people").to_pandas()
    token = F.col("person")
    found = (
        spark_session.createDataFrame(people[["person"]].dropna())
        .select(
            token,
            F.xxhash64(token).alias("xxhash64"),
            F.xxhash64(token.cast("string")).alias("xxhash64 of the text"),
            F.abs(F.xxhash64(token)).alias("absolute"),
            F.conv(F.md5(token.cast("string")).substr(1, 15), 16, 10).cast("bigint").alias("md5"),
            F.md5(token.cast("string")).alias("md5 as a text"),
            F.sha2(token.cast("string"), 256).alias("sha256"),
            F.lower(F.hex(token)).alias("hexadecimal"),
            token.cast("string").alias("text"),
        )
        .toPandas()
    )
    assert len(found) > 1000
    return {value for column in found for value in found[column]}


def matching(frame, images):
    """Columns of a frame that hold an image of a token."""
    kinds = ("int64", "object", "string", "str")
    wide = [name for name in frame if str(frame[name].dtype) in kinds]
    return [n for n in wide if not images.isdisjoint(frame[n].dropna().astype(object).unique())]


def test_no_table_outside_restricted_gives_a_pseudonym_back(study, images):
    people = study.frame("restricted/people")
    assert matching(people, images) == ["person"]
    found = {}
    logs = [log.parent for log in study.lake.glob("*/*/_delta_log")]
    for folder in sorted(logs):
        zone, name = folder.parts[-2:]
        if zone not in EXACT:
            frame = study.frame(f"{zone}/{name}")
            lists = [c for c in frame if frame[c].map(type).isin([list, dict]).any()]
            found[f"{zone}/{name}"] = matching(frame.drop(columns=lists), images)
    assert len(found) > 30
    assert {name: columns for name, columns in found.items() if columns} == {}


def test_no_record_of_a_run_holds_a_pseudonym(study, images):
    texts = [p.read_text("utf-8") for p in (study.lake / "runs").rglob("*.json")]
    texts += [p.read_text("utf-8") for p in (study.lake / "working").glob("*.json")]
    for path in study.lake.glob("*.db"):
        with sqlite3.connect(path) as database:
            texts += database.iterdump()
    words = {word for text in texts for word in json.dumps(text).replace('"', " ").split()}
    assert images.isdisjoint({word.strip(",:\\'()") for word in words})


def test_few_dates_of_birth_can_be_narrowed_to_a_month(study):
    """Full ages at exact days narrow them, age bands hardly do."""
    steps = {0: 11, 11: 25, 25: 65, 65: 90, 90: 130}
    kept = " UNION ALL ".join(
        f"SELECT person, agreement_start AS day, age_at_start AS age FROM {{restricted/{name}}}"
        for name in AGREEMENTS
    )
    upper = "CASE age " + " ".join(f"WHEN {a} THEN {b}" for a, b in steps.items()) + " END"
    rows = study.query(
        f"SELECT date_diff('day', max(day - to_years({upper})), min(day - to_years(age))) AS width "
        f"FROM ({kept}) WHERE age IS NOT NULL AND person IS NOT NULL GROUP BY person"
    )
    assert {age for (age,) in study.query(f"SELECT DISTINCT age FROM ({kept})")} <= {None, *steps}
    narrow = sum(width <= 31 for (width,) in rows)
    assert len(rows) > 500
    assert narrow / len(rows) < 0.02
