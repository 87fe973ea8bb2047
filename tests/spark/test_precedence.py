"""Each key once: by tasks and by the driver alike, whatever the rows."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from socare_spark.ingest import precedence as resolving
from socare_spark.ingest.precedence import (
    Precedence,
    existing_versions,
    find_dropped_arrow,
    resolve,
)

TYPES = "a string, b bigint, said bigint, extract date, source_file string, line bigint"
TYPED = ["a", "b", "said", "extract", "source_file", "line"]
DECISIVE = ["a", "b", "extract", "source_file", "line"]
PRECEDENCE = Precedence(["a", "b"], "extract")


_LARGE = 2**53  # as floats, it and its successor are one number


def rows(seed, files, first):
    """Rows of a few keys and few contents, so that all that can happen does."""
    draw, size = np.random.default_rng(seed), 400
    made = pd.DataFrame(
        {
            "a": draw.choice(["x", "y", "Ü", "z"], size),
            "b": draw.integers(0, 40, size),
            "said": pd.Series(draw.choice([None, _LARGE, _LARGE + 1], size), dtype="Int64"),
            "source_file": draw.choice(files, size),
        }
    )
    made["extract"] = made["source_file"].map(lambda f: date(2010 + ord(f[0]) % 3, 12, 31))
    made["line"] = range(first, first + size)
    return made


def expected(new, known):
    """The rule in words of its own: walk from the newest row to the oldest."""
    lost, keys, contents = {}, set(), set()
    every = [(r, True) for r in new.to_dict("records")]
    every += [(r, False) for r in known.to_dict("records")]
    order = sorted(every, key=lambda e: (e[0]["extract"], e[0]["source_file"], e[0]["line"]))
    for row, ours in reversed(order):
        key = (row["a"], row["b"])
        content = (*key, row["source_file"], row["said"])
        if ours and content in contents:
            lost[row["source_file"], row["line"]] = "duplicate"
        elif key in keys:
            lost[row["source_file"], row["line"]] = "superseded"
        keys.add(key)
        contents |= {content} if ours else set()
    return lost


@pytest.fixture(params=["few keys", "many keys"])
def either_size(monkeypatch, request):
    """Keys that rows share go to every task where they are few, and to none where they are many."""

    def refused(_):
        raise AssertionError("rows without a bound were sent to every task")

    if request.param == "many keys":
        monkeypatch.setattr(resolving, "_BROADCAST_MAX_ROWS", 0)
        monkeypatch.setattr(resolving.F, "broadcast", refused)


@pytest.mark.usefixtures("either_size")
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("with_known", [False, True])
def test_driver_and_spark_drop_the_same_versions(spark, with_known, many):
    new = rows(1, ["a.csv", "b.csv", "d.csv"], 1)
    known = rows(2, ["c.csv", "e.csv"], 9_000).drop_duplicates(["a", "b"])
    known = known if with_known else known.iloc[:0]
    frame = spark.createDataFrame(new[TYPED], TYPES)
    old = spark.createDataFrame(known[TYPED], TYPES)
    met = old.join(frame.select("a", "b"), ["a", "b"], "left_semi")

    rivals = existing_versions(met, PRECEDENCE) if with_known else None
    by_tasks = resolve(frame, PRECEDENCE, existing=rivals, many=many)
    table = met.select(*DECISIVE).toArrow()
    by_driver = find_dropped_arrow(frame.toArrow(), table, PRECEDENCE)

    met_keys = set(zip(new["a"], new["b"], strict=True))
    rivals = known[[k in met_keys for k in zip(known["a"], known["b"], strict=True)]]
    right = expected(new, rivals)
    assert {*right.values()} == {"duplicate", "superseded"}
    assert {(r["source_file"], r["line"]): r["lost"] for r in by_tasks.dropped.collect()} == right
    places = zip(by_driver["source_file"], by_driver["line"], strict=True)
    assert dict(zip(places, by_driver["lost"], strict=True)) == right
    ours = by_driver[by_driver["at"] >= 0]
    assert new["line"].iloc[ours["at"]].tolist() == ours["line"].tolist()
    assert set(by_driver.loc[by_driver["at"] < 0, "source_file"]) <= {"c.csv", "e.csv"}
