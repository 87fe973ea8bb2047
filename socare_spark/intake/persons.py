"""Who is known: one row a person in `restricted/people`, with the whole digest.

Guarantee: two identifiers whose tokens are the same 64 bits but whose digests differ are found, and
nothing of the run stays.
"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.intake.ledger import PEOPLE
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import REST, mask_names
from socare_spark.intake.stage import Stage
from socare_spark.lake.zones import Lake


class CollisionError(Exception):
    """Two people share a token."""


def new_people(
    lake: Lake, stages: Sequence[tuple[Stage, Sequence[int]]], keyring: Keyring
) -> DataFrame | None:
    """The people of staged files that the lake does not know; None where no file holds any.

    Args:
        lake: The lake.
        stages: Each stage with the indices of the files that are taken.
        keyring: Names the key id.

    Raises:
        CollisionError: a token stands for two digests.
    """
    frames = [_seen(stage, wanted) for stage, wanted in stages if _has_people(stage)]
    if not frames:
        return None
    seen = reduce(DataFrame.unionByName, frames)
    found = seen.groupBy("person", "scheme").agg(
        *[F.min(r).alias(r) for r in REST],
        reduce(lambda a, b: a | b, [F.min(r) != F.max(r) for r in REST]).alias("_clash"),
        F.min("first_seen").alias("first_seen"),
    )
    people = found.select(
        "person",
        _hex(["person", *REST]).alias("digest"),
        "scheme",
        F.lit(keyring.project.key_id).alias("key_id"),
        "first_seen",
        "_clash",
    )
    if lake.exists(PEOPLE):
        known = lake.read(people.sparkSession, PEOPLE).select(
            "person", F.col("digest").alias("_digest")
        )
        people = people.join(known, "person", "left")
        clash = F.col("_clash") | (F.col("_digest") != F.col("digest"))
        people = people.withColumn("_clash", F.coalesce(clash, F.lit(False)))
        people = people.where("_digest is null or _clash")
    people = people.cache()
    clashes = people.where("_clash").count()
    if clashes:
        raise CollisionError(f"{clashes} tokens stand for two people each: take a new key id")
    return people


def _has_people(stage: Stage) -> bool:
    return "person" in stage.frame.columns and REST[0] in stage.frame.columns


def _seen(stage: Stage, wanted: Sequence[int]) -> DataFrame:
    contract = stage.contract
    scheme = next(f.socare.pseudonymise for f in contract.fields if f.output == "person")
    good = " and ".join(f"{w} = 0" for w in mask_names(contract))
    rows = stage.frame.where(good).where("person is not null")
    return rows.where(F.col("_file").isin(*wanted)).select(
        "person",
        *REST,
        F.lit(scheme).alias("scheme"),
        F.col(contract.socare.extract_column).alias("first_seen"),
    )


def _hex(words: Sequence[str]) -> Column:
    return F.lower(F.concat(*[F.lpad(F.hex(w), 16, "0") for w in words]))
