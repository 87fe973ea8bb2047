"""Who is known: one row a person in `restricted/people`, with the whole digest.

Guarantee: two identifiers whose tokens are the same 64 bits but whose digests differ are found, and
nothing of the run stays.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.intake.ledger import PEOPLE
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import DIGEST
from socare_spark.intake.stage import Stage
from socare_spark.lake.zones import Lake

_WHO = ["person", "digest"]


class CollisionError(Exception):
    """Two people share a token."""


def add_people(
    lake: Lake,
    stages: Sequence[tuple[Stage, Sequence[int]]],
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
    frames = [_seen(stage, wanted) for stage, wanted in stages if _has_people(stage)]
    if not frames:
        return
    seen = reduce(DataFrame.unionByName, frames)
    people = seen.groupBy("person", DIGEST, "scheme").agg(F.min("first_seen").alias("first_seen"))
    people = people.select(
        "person",
        F.col(DIGEST).alias("digest"),
        "scheme",
        F.lit(keyring.project.key_id).alias("key_id"),
        "first_seen",
    )
    if all(stage.few(wanted) for stage, wanted in stages):
        _enter_new(lake, people.toArrow(), note)
    else:
        lake.append(PEOPLE, _not_known(lake, people), note)
    tokens = lake.frame(PEOPLE, "person")["person"]
    twice = int(tokens.duplicated().sum())
    if twice:
        raise CollisionError(f"{twice} tokens stand for two people each: take a new key id")


def _enter_new(lake: Lake, people: pa.Table, note: Mapping[str, str]) -> None:
    """Adds those of a few people who are not known."""
    if lake.exists(PEOPLE):
        known = lake.matching(PEOPLE, people.select(["person"]), *_WHO).cast(
            people.select(_WHO).schema
        )
        people = people.join(known, _WHO, join_type="left anti")
    if len(people):
        lake.enter(PEOPLE, people, note)


def _not_known(lake: Lake, people: DataFrame) -> DataFrame:
    if not lake.exists(PEOPLE):
        return people
    people = people.cache()
    every = lake.read(people.sparkSession, PEOPLE).select(*_WHO)
    # By token first: numbers are compared sooner than bytes.
    known = every.join(people.select("person"), "person", "left_semi")
    return people.join(known, _WHO, "left_anti")


def _has_people(stage: Stage) -> bool:
    return "person" in stage.frame.columns and DIGEST in stage.frame.columns


def _seen(stage: Stage, wanted: Sequence[int]) -> DataFrame:
    contract = stage.contract
    scheme = next(f.socare.pseudonymise for f in contract.fields if f.output == "person")
    return (
        stage.unbroken(wanted)
        .where("person is not null")
        .select(
            "person",
            DIGEST,
            F.lit(scheme).alias("scheme"),
            F.col(contract.socare.extract_column).alias("first_seen"),
        )
    )
