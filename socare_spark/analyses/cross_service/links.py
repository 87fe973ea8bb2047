"""Identity of persons across services, by scheme and by crosswalks.

Identifiers of two schemes belong to one person only if crosswalks connect them, directly or
indirectly. Equal numbers or equal tokens in two schemes are not a connection.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.settings import Crosswalk
from socare_spark.measures.connected_components import connected_components

NO_PERSON, NOT_IN_CROSSWALK = "no_person", "not_in_crosswalk"


def number_of(scheme: str | None, schemes: Mapping[str, int]) -> Column:
    """Number of a scheme as a BIGINT; 0 if there are no identifiers."""
    return F.lit(schemes[scheme] if scheme else 0).cast("bigint")


def person_of(scheme: Column, token: Column) -> Column:
    """BIGINT that identifies a person across schemes; null for a null token.

    Args:
        scheme: Number of the scheme. Scheme 0 keeps its tokens, which other tables use.
        token: Pseudonym of the identifier.
    """
    # With the scheme first, this hash is different for any two tokens of one scheme.
    hashed = F.when(token.isNotNull(), F.xxhash64(scheme, token))
    return F.when(scheme == 0, token).otherwise(hashed)


def pairs_of(frame: DataFrame, crosswalk: Crosswalk, schemes: Mapping[str, int]) -> DataFrame:
    """One row per pair of a crosswalk: a, b; each a struct of scheme (its number) and token.

    Rows with a null identifier are left out.
    """
    first, second = (
        F.struct(number_of(scheme, schemes).alias("scheme"), F.col(column).alias("token"))
        for column, scheme in zip(crosswalk.columns, crosswalk.schemes, strict=True)
    )
    pairs = frame.where(" AND ".join(f"`{column}` IS NOT NULL" for column in crosswalk.columns))
    return pairs.select(first.alias("a"), second.alias("b"))


def links_of(pairs: Sequence[DataFrame]) -> DataFrame:
    """Assigns a person to each identifier: the least identifier that crosswalks connect with it.

    Args:
        pairs: Results of `pairs_of`.

    Returns:
        One row per identifier in a crosswalk: scheme, token, person. The person is an identifier of
        scheme 0 if one is connected.
    """
    components = connected_components(reduce(DataFrame.unionByName, pairs))
    return components.select(
        "node.scheme",
        "node.token",
        person_of(F.col("root.scheme"), F.col("root.token")).alias("person"),
    )


def linked(rows: DataFrame, links: DataFrame | None) -> DataFrame:
    """Replaces scheme and token by the person.

    An identifier of a scheme other than 0 that is in no crosswalk is a separate person, with a
    reason in `unlinked`.

    Args:
        rows: scheme (number), token and other columns.
        links: Result of `links_of`; None without a crosswalk.

    Returns:
        The rows without `scheme` and `token`, with `person` (null without an identifier) and
        `unlinked` (a reason or null).
    """
    if links is None:
        joined = rows.withColumn("_person", F.lit(None).cast("bigint"))
    else:
        persons = links.withColumnRenamed("person", "_person")
        joined = rows.join(persons, ["scheme", "token"], "left")
    unlinked_person = person_of(F.col("scheme"), F.col("token"))
    reason = F.when(F.col("token").isNull(), NO_PERSON).when(
        (F.col("scheme") > 0) & F.col("_person").isNull(), NOT_IN_CROSSWALK
    )
    return joined.select(
        *[c for c in rows.columns if c not in ("scheme", "token")],
        F.coalesce("_person", unlinked_person).alias("person"),
        reason.alias("unlinked"),
    )
