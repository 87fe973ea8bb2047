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

from socare_spark.ingest.ledger import PEOPLE
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.ingest.reader import DIGEST
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake.lake import DRIVER_MAX_SCAN_BYTES, Lake

_IDENTITY = ["person", "digest"]
# People whose tokens the driver compares: 40 MB of them. Tasks compare those of more.
_DRIVER_MAX_PEOPLE = 5_000_000
_Stages = Sequence[tuple[StagedDataset, Sequence[int]]]


class CollisionError(Exception):
    """Two people share a token."""


def register_people(
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
    if (
        all(stage.fits_on_driver(wanted) for stage, wanted in held)
        and lake.size(PEOPLE) <= DRIVER_MAX_SCAN_BYTES
    ):
        entered = _register_on_driver(lake, held, keyring.project.key_id, note)
    else:
        entered = _register_with_spark(lake, held, keyring.project.key_id, note)
    if not entered:
        return
    twice = _count_collisions(lake, held[0][0].frame.sparkSession)
    if twice:
        raise CollisionError(f"{twice} tokens stand for two people each: take a new key id")


def _count_collisions(lake: Lake, spark: SparkSession) -> int:
    """Number of tokens that more than one person shares."""
    if lake.count(PEOPLE) > _DRIVER_MAX_PEOPLE:
        each = lake.read(spark, PEOPLE).groupBy("person").count()
        return each.where("count > 1").count()
    tokens = lake.to_pandas(PEOPLE, "person")["person"]
    return int(tokens[tokens.duplicated()].nunique())


def _register_on_driver(lake: Lake, stages: _Stages, key_id: str, note: Mapping[str, str]) -> bool:
    """By the driver, what `_register_with_spark` does by tasks; whether anybody is new."""
    seen = []
    for stage, wanted in stages:
        columns = {"person": "person", DIGEST: "digest", _day(stage): "first_seen"}
        rows = stage.valid_rows_arrow(wanted, *columns).rename_columns(columns)
        rows = rows.filter(pc.is_valid(rows["person"]))
        seen.append(
            rows.append_column(
                "scheme", pa.array([stage.contract.person_scheme] * len(rows), "string")
            )
        )
    people = (
        pa.concat_tables(seen).group_by([*_IDENTITY, "scheme"]).aggregate([("first_seen", "min")])
    )
    people = people.rename_columns({"first_seen_min": "first_seen"})
    people = people.append_column("key_id", pa.array([key_id] * len(people), "string"))
    known = lake.lookup(PEOPLE, people.select(["person"]), *_IDENTITY)
    people = people.join(known, _IDENTITY, join_type="left anti")
    if not len(people):
        return False
    lake.append_arrow(PEOPLE, people, note)
    return True


def _register_with_spark(lake: Lake, stages: _Stages, key_id: str, note: Mapping[str, str]) -> bool:
    seen = [
        stage.valid_staged_rows(wanted)
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
    people = every.groupBy(*_IDENTITY, "scheme", "key_id").agg(
        F.min("first_seen").alias("first_seen")
    )
    if lake.exists(PEOPLE):
        people = people.cache()
        # By token first: numbers are compared sooner than bytes.
        old = lake.read(people.sparkSession, PEOPLE).select(*_IDENTITY)
        known = old.join(people.select("person"), "person", "left_semi")
        people = people.join(known, _IDENTITY, "left_anti")
        if people.isEmpty():
            return False
    lake.append(PEOPLE, people, note)
    return True


def _has_people(stage: StagedDataset) -> bool:
    return "person" in stage.frame.columns and DIGEST in stage.frame.columns


def _day(stage: StagedDataset) -> str:
    return stage.contract.socare.extract_column
