"""Who is known: one row a person in `restricted/people`, with the whole digest.

Guarantee: two identifiers whose tokens are the same 64 bits but whose digests differ are found, and
nothing of the run stands.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.intake.ledger import PEOPLE
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import DIGEST
from socare_spark.intake.stage import Stage
from socare_spark.lake.zones import SCANNED, Lake

_WHO = ["person", "digest"]
# People whose tokens the driver compares: 40 MB of them. Tasks compare those of more.
_HELD = 5_000_000
_Stages = Sequence[tuple[Stage, Sequence[int]]]


class CollisionError(Exception):
    """Two people share a token."""


def add_people(
    lake: Lake,
    stages: _Stages,
    keyring: Keyring,
    note: Mapping[str, str],
) -> None:
    """Adds the people of staged files whom the lake does not know.

    Args:
        lake: The lake.
        stages: Each stage with the indices of the files that are taken.
        keyring: Names the key id.
        note: What the commit says of itself.

    Raises:
        CollisionError: a token stands for two digests. The table has both by then: the group of
            commits that this is part of must be undone.
    """
    held = [(stage, wanted) for stage, wanted in stages if _has_people(stage)]
    if not held:
        return
    if all(stage.few(wanted) for stage, wanted in held) and lake.size(PEOPLE) <= SCANNED:
        entered = _enter_few(lake, held, keyring.project.key_id, note)
    else:
        entered = _append_many(lake, held, keyring.project.key_id, note)
    if not entered:
        return
    twice = _twice(lake, held[0][0].frame.sparkSession)
    if twice:
        raise CollisionError(f"{twice} tokens stand for two people each: take a new key id")


def _twice(lake: Lake, spark: SparkSession) -> int:
    """Number of tokens that more than one person shares."""
    if lake.count(PEOPLE) > _HELD:
        each = lake.read(spark, PEOPLE).groupBy("person").count()
        return each.where("count > 1").count()
    tokens = lake.frame(PEOPLE, "person")["person"]
    return int(tokens[tokens.duplicated()].nunique())


def _enter_few(lake: Lake, stages: _Stages, key_id: str, note: Mapping[str, str]) -> bool:
    """By the driver, what `_append_many` does by tasks; whether anybody is new."""
    seen = []
    for stage, wanted in stages:
        columns = {"person": "person", DIGEST: "digest", _day(stage): "first_seen"}
        rows = stage.good_few(wanted, *columns).rename_columns(columns)
        rows = rows.filter(pc.is_valid(rows["person"]))
        seen.append(
            rows.append_column(
                "scheme", pa.array([stage.contract.person_scheme] * len(rows), "string")
            )
        )
    people = pa.concat_tables(seen).group_by([*_WHO, "scheme"]).aggregate([("first_seen", "min")])
    people = people.rename_columns({"first_seen_min": "first_seen"})
    people = people.append_column("key_id", pa.array([key_id] * len(people), "string"))
    known = lake.matching(PEOPLE, people.select(["person"]), *_WHO)
    people = people.join(known, _WHO, join_type="left anti")
    if not len(people):
        return False
    lake.enter(PEOPLE, people, note)
    return True


def _append_many(lake: Lake, stages: _Stages, key_id: str, note: Mapping[str, str]) -> bool:
    seen = [
        stage.unbroken(wanted)
        .where("person is not null")
        .select(
            "person",
            F.col(DIGEST).alias("digest"),
            F.lit(stage.contract.person_scheme).alias("scheme"),
            F.lit(key_id).alias("key_id"),
            F.col(_day(stage)).alias("first_seen"),
        )
        for stage, wanted in stages
    ]
    every = reduce(DataFrame.unionByName, seen)
    people = every.groupBy(*_WHO, "scheme", "key_id").agg(F.min("first_seen").alias("first_seen"))
    if lake.exists(PEOPLE):
        people = people.cache()
        # By token first: numbers are compared sooner than bytes.
        old = lake.read(people.sparkSession, PEOPLE).select(*_WHO)
        known = old.join(people.select("person"), "person", "left_semi")
        people = people.join(known, _WHO, "left_anti")
        if people.isEmpty():
            return False
    lake.append(PEOPLE, people, note)
    return True


def _has_people(stage: Stage) -> bool:
    return "person" in stage.frame.columns and DIGEST in stage.frame.columns


def _day(stage: Stage) -> str:
    return stage.contract.socare.extract_column
