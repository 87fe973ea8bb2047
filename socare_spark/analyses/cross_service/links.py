"""Who is one person across services: by the same scheme, or through crosswalks.

Guarantee: identifiers of two schemes are one person only where crosswalks join them, directly or
through others; that two schemes have equal numbers, or equal tokens, joins nothing.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.settings import Crosswalk
from socare_spark.measures.connected_components import connected_components

NO_PERSON, NOT_IN_CROSSWALK = "no_person", "not_in_crosswalk"


def number_of(scheme: str | None, schemes: Mapping[str, int]) -> Column:
    """The number of a scheme, as a BIGINT; 0 where there are no identifiers."""
    return F.lit(schemes[scheme] if scheme else 0).cast("bigint")


def person_of(scheme: Column, token: Column) -> Column:
    """A BIGINT that no identifier of another scheme has; null for null.

    Args:
        scheme: Number of the scheme; those of scheme 0 keep their tokens, by which all other
            results know them.
        token: Pseudonym of the identifier.
    """
    # With the scheme first, this hash differs for any two tokens of one scheme.
    apart = F.when(token.isNotNull(), F.xxhash64(scheme, token))
    return F.when(scheme == 0, token).otherwise(apart)


def pairs_of(frame: DataFrame, crosswalk: Crosswalk, schemes: Mapping[str, int]) -> DataFrame:
    """The pairs of a crosswalk: a, b, each a struct of scheme (its number) and token.

    A row that lacks one of its identifiers joins nobody.
    """
    one, other = (
        F.struct(number_of(scheme, schemes).alias("scheme"), F.col(column).alias("token"))
        for column, scheme in zip(crosswalk.columns, crosswalk.schemes, strict=True)
    )
    both = frame.where(" AND ".join(f"`{column}` IS NOT NULL" for column in crosswalk.columns))
    return both.select(one.alias("a"), other.alias("b"))


def links_of(pairs: Sequence[DataFrame]) -> DataFrame:
    """Which person an identifier is: the least of all that crosswalks join it with.

    Args:
        pairs: Of `pairs_of`.

    Returns:
        scheme, token, person; one row for every identifier that is in a crosswalk. The person is
        an identifier of scheme 0 wherever one is among those joined.
    """
    found = connected_components(reduce(DataFrame.unionByName, pairs))
    return found.select(
        "node.scheme",
        "node.token",
        person_of(F.col("root.scheme"), F.col("root.token")).alias("person"),
    )


def linked(rows: DataFrame, links: DataFrame | None) -> DataFrame:
    """The rows with `person` in place of scheme and token, and why the person cannot be linked.

    An identifier of another scheme than 0 that no crosswalk holds is a person of its own, and has a
    reason.

    Args:
        rows: scheme (number), token, and anything else.
        links: Of `links_of`; None without a crosswalk.

    Returns:
        The rows with `person` (null without an identifier) and `unlinked` (a reason or null).
    """
    if links is None:
        known = rows.withColumn("_person", F.lit(None).cast("bigint"))
    else:
        known = rows.join(links.withColumnRenamed("person", "_person"), ["scheme", "token"], "left")
    own = person_of(F.col("scheme"), F.col("token"))
    reason = F.when(F.col("token").isNull(), NO_PERSON).when(
        (F.col("scheme") > 0) & F.col("_person").isNull(), NOT_IN_CROSSWALK
    )
    return known.select(
        *[c for c in rows.columns if c not in ("scheme", "token")],
        F.coalesce("_person", own).alias("person"),
        reason.alias("unlinked"),
    )
