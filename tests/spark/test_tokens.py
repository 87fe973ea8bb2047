"""Tokens made by Spark against Python's hmac, whatever the text and the cut of the work."""

import hashlib
import hmac
import random

import pytest
from pyspark.sql import functions as F

from socare_spark.contracts.project import Project, Scheme
from socare_spark.ingest.pseudonym import Keyring, digest, normalise_columns, normalise_text, token
from socare_spark.ingest.whitespace import strip_whitespace

SCHEME = Scheme(strip_leading_zeros=True, remove="-", placeholders=("", "0", "UNKNOWN"))
PROJECT = Project(council="c", project="p", key_id="k", schemes={"s": SCHEME, "t": SCHEME})
RING = Keyring(bytes(range(32)), PROJECT)


def tokens(spark, texts, scheme="s", parts=4):
    pads = RING.pads(scheme)
    keys = spark.createDataFrame([(pads.inner, pads.outer)], "inner binary, outer binary")
    rows = spark.createDataFrame(list(enumerate(texts)), "i int, raw string").repartition(parts)
    cells = rows.select("i", strip_whitespace(F.col("raw")).alias("v"))
    clean = normalise_columns(cells, {"v": SCHEME}, ascii_only=False)
    hashed = clean.crossJoin(F.broadcast(keys)).select(
        "i", "v", digest(F.col("v"), F.col("inner"), F.col("outer")).alias("d")
    )
    return {
        r["i"]: (r["v"], r["d"], r["t"])
        for r in hashed.select("*", token(F.col("d")).alias("t")).collect()
    }


def expected(text, scheme="s"):
    clean = normalise_text(text, SCHEME)
    if clean in SCHEME.placeholders:
        return (None, None, None)
    mac = hmac.new(RING.subkey(scheme), clean.encode(), hashlib.sha256)
    return (clean, mac.hexdigest(), int.from_bytes(mac.digest()[:8], "big", signed=True))


def unicode_texts(n):
    draw = random.Random(7)
    planes = [
        (32, 127),
        (160, 0x250),
        (0x370, 0x530),
        (0x4E00, 0x4F00),
        (0xFF10, 0xFF5A),
        (0x1F300, 0x1F400),
        (0, 33),
    ]

    def one():
        low, high = draw.choice(planes)
        return "".join(chr(draw.randrange(low, high)) for _ in range(draw.randrange(0, 12)))

    return [one() for _ in range(n)]


def test_equal_to_hmac_on_100_000_texts(spark):
    texts = unicode_texts(100_000)
    found = tokens(spark, texts)
    wrong = [i for i, text in enumerate(texts) if found[i] != expected(text)]
    assert wrong == []


@pytest.mark.parametrize("parts", [1, 7])
def test_tokens_do_not_depend_on_partitions(spark, parts):
    assert tokens(spark, ["1", "02", "x"], parts=parts) == tokens(spark, ["1", "02", "x"], parts=3)


def test_schemes_share_no_token(spark):
    texts = [str(i) for i in range(1, 2000)]
    one = {t for _, _, t in tokens(spark, texts, "s").values()}
    other = {t for _, _, t in tokens(spark, texts, "t").values()}
    assert len(one) == len(other) == 1999
    assert not one & other
