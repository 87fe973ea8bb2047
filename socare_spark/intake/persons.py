"""Who is known: one row a person in `restricted/people`, with the whole digest.

Guarantee: two identifiers whose tokens are the same 64 bits but whose digests differ are found, and
nothing of the run stays.
"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.intake.ledger import PEOPLE
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import DIGEST
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
    people = seen.groupBy("person", DIGEST, "scheme").agg(F.min("first_seen").alias("first_seen"))
    people = people.select(
        "person",
        F.col(DIGEST).alias("digest"),
        "scheme",
        F.lit(keyring.project.key_id).alias("key_id"),
        "first_seen",
    )
    people = people.cache()
    known: DataFrame | None = None
    spelled = people.select("person", "digest")
    if lake.exists(PEOPLE):
        known = lake.read(people.sparkSession, PEOPLE).select("person", "digest")
        known = known.join(people.select("person"), "person", "left_semi").cache()
        spelled = spelled.unionByName(known).distinct()
    tokens = spelled.groupBy("person").agg(F.count(F.lit(1)).alias("digests"))
    clashes = tokens.where("digests > 1").count()
    if clashes:
        raise CollisionError(f"{clashes} tokens stand for two people each: take a new key id")
    return people if known is None else people.join(known, "person", "left_anti")


def _has_people(stage: Stage) -> bool:
    return "person" in stage.frame.columns and DIGEST in stage.frame.columns


def _seen(stage: Stage, wanted: Sequence[int]) -> DataFrame:
    contract = stage.contract
    scheme = next(f.socare.pseudonymise for f in contract.fields if f.output == "person")
    rows = stage.unbroken().where("person is not null")
    return rows.where(F.col("_file").isin(*wanted)).select(
        "person",
        DIGEST,
        F.lit(scheme).alias("scheme"),
        F.col(contract.socare.extract_column).alias("first_seen"),
    )
