"""Registers people in `restricted/people`, one row for each person with the full digest.

Guarantee: a run fails and commits nothing if two identifiers have the same 64-bit token but
different digests.
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
from socare_spark.plurals import agreeing, counted

_IDENTITY = ["person", "digest"]
# Up to this number the driver compares the tokens (40 MB); above it Spark tasks do.
_DRIVER_MAX_PEOPLE = 5_000_000
_Stages = Sequence[tuple[StagedDataset, Sequence[int]]]


class CollisionError(Exception):
    """Two digests have the same token."""


def register_people(
    lake: Lake,
    stages: _Stages,
    keyring: Keyring,
    metadata: Mapping[str, str],
) -> None:
    """Adds the people of staged files that are not in PEOPLE.

    Args:
        lake: The lake.
        stages: Each staged dataset with the indices of its accepted files.
        keyring: The keyring, for the key id.
        metadata: User metadata of the commit.

    Raises:
        CollisionError: two digests have the same token. PEOPLE contains both by then, so the caller
            must roll back the group of commits.
    """
    with_people = [(stage, accepted) for stage, accepted in stages if _has_people(stage)]
    if not with_people:
        return
    if (
        all(stage.fits_on_driver(accepted) for stage, accepted in with_people)
        and lake.size(PEOPLE) <= DRIVER_MAX_SCAN_BYTES
    ):
        any_added = _register_on_driver(lake, with_people, keyring.project.key_id, metadata)
    else:
        any_added = _register_with_spark(lake, with_people, keyring.project.key_id, metadata)
    if not any_added:
        return
    collisions = _count_collisions(lake, with_people[0][0].frame.sparkSession)
    if collisions:
        raise CollisionError(
            f"{counted(collisions, 'token')} {agreeing(collisions, 'collides', 'collide')} (two "
            "digests, one token): set a new key_id in conf/project.yaml and ingest all files into "
            "a new lake"
        )


def _count_collisions(lake: Lake, spark: SparkSession) -> int:
    """Number of tokens with more than one digest."""
    if lake.count(PEOPLE) > _DRIVER_MAX_PEOPLE:
        counts = lake.read(spark, PEOPLE).groupBy("person").count()
        return counts.where("count > 1").count()
    tokens = lake.to_pandas(PEOPLE, "person")["person"]
    return int(tokens[tokens.duplicated()].nunique())


def _register_on_driver(
    lake: Lake, stages: _Stages, key_id: str, metadata: Mapping[str, str]
) -> bool:
    """Driver-side equivalent of `_register_with_spark`. Returns whether any person was added."""
    staged = []
    for stage, accepted in stages:
        columns = {"person": "person", DIGEST: "digest", _extract_column(stage): "first_seen"}
        rows = stage.valid_rows_arrow(accepted, *columns).rename_columns(columns)
        rows = rows.filter(pc.is_valid(rows["person"]))
        staged.append(
            rows.append_column(
                "scheme", pa.array([stage.contract.person_scheme] * len(rows), "string")
            )
        )
    people = (
        pa.concat_tables(staged).group_by([*_IDENTITY, "scheme"]).aggregate([("first_seen", "min")])
    )
    people = people.rename_columns({"first_seen_min": "first_seen"})
    people = people.append_column("key_id", pa.array([key_id] * len(people), "string"))
    registered = lake.lookup(PEOPLE, people.select(["person"]), *_IDENTITY)
    people = people.join(registered, _IDENTITY, join_type="left anti")
    if not len(people):
        return False
    lake.append_arrow(PEOPLE, people, metadata)
    return True


def _register_with_spark(
    lake: Lake, stages: _Stages, key_id: str, metadata: Mapping[str, str]
) -> bool:
    """Appends new people to PEOPLE. Returns whether any person was added."""
    staged = [
        stage.valid_staged_rows(accepted)
        .where("person is not null")
        .select(
            "person",
            F.col(DIGEST).alias("digest"),
            F.lit(stage.contract.person_scheme).alias("scheme"),
            F.lit(key_id).alias("key_id"),
            F.col(_extract_column(stage)).alias("first_seen"),
        )
        for stage, accepted in stages
    ]
    all_rows = reduce(DataFrame.unionByName, staged)
    people = all_rows.groupBy(*_IDENTITY, "scheme", "key_id").agg(
        F.min("first_seen").alias("first_seen")
    )
    if lake.exists(PEOPLE):
        people = people.cache()
        # The join by token reduces the rows first; numbers are faster to compare than bytes.
        registered = lake.read(people.sparkSession, PEOPLE).select(*_IDENTITY)
        matching = registered.join(people.select("person"), "person", "left_semi")
        people = people.join(matching, _IDENTITY, "left_anti")
        if people.isEmpty():
            return False
    lake.append(PEOPLE, people, metadata)
    return True


def _has_people(stage: StagedDataset) -> bool:
    return "person" in stage.frame.columns and DIGEST in stage.frame.columns


def _extract_column(stage: StagedDataset) -> str:
    return stage.contract.socare.extract_column
