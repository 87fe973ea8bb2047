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
    """The people of staged files that the lake does not know; None where there are none.

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
    # Digests are compared by 64 bits more: numbers are gathered sooner than texts.
    digest = F.xxhash64("digest").alias("digest")
    seen_as = people.select("person", digest, F.lit(False).alias("old"))
    known: DataFrame | None = None
    if lake.exists(PEOPLE):
        every = lake.read(people.sparkSession, PEOPLE).select("person", "digest")
        known = every.join(people.select("person"), "person", "left_semi").cache()
        seen_as = seen_as.unionByName(known.select("person", digest, F.lit(True).alias("old")))
    tokens = seen_as.groupBy("person").agg(F.min("digest"), F.max("digest"), F.max("old"))
    clashes, new = tokens.agg(
        F.count_if(F.col("min(digest)") != F.col("max(digest)")), F.count_if(~F.col("max(old)"))
    ).collect()[0]
    if clashes:
        raise CollisionError(f"{clashes} tokens stand for two people each: take a new key id")
    if not new:
        return None
    return people if known is None else people.join(known, "person", "left_anti")


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
