"""B9: internal and external provision by client group, district and year.

Source: thesis 4.4.2, figure 37; docs/definitions.md, section 7.5. The letter after the client group
in an element's code identifies the provider: the council or others. An agreement counts in every
year in which it is open.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.use.settings import Split
from socare_spark.analyses.vocabulary import Elements
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, open_in
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.residuals import flag_residuals, residuals

PROVISION_SPLIT = cell_table(
    "provision_split",
    "Agreements of a client group in a district that are open in a year, by who provides them; "
    "their cost is that of their days in the year. Every group, district and year has a row.",
    [
        ColumnSpec(
            "client_group",
            "string",
            "Client group of the element, as the vocabulary names it; null means all.",
        ),
        ColumnSpec(
            "district",
            "string",
            "Postcode district of the city; null means everybody, wherever they live.",
        ),
        ColumnSpec(
            "year",
            "int",
            "Calendar year in which agreements are open; null means all years together, with each "
            "agreement once.",
        ),
    ],
    [
        ColumnSpec("internal", "bigint", "Records that the council provides itself."),
        ColumnSpec("external", "bigint", "Records that it buys from others."),
        ColumnSpec(
            "share_internal", "double", "internal / (internal + external); null without either."
        ),
        ColumnSpec(
            "residual",
            "double",
            "Adjusted Pearson residual of the internal records among the districts of the client "
            "group and year; null for everybody, and where too few records are expected.",
        ),
        ColumnSpec(
            "p_adjusted",
            "double",
            "Its two-sided p, adjusted by Benjamini-Hochberg for the districts of the client group "
            "and year.",
        ),
        ColumnSpec(
            "flag",
            "string",
            "'high' or 'low' where the district has unusually much or little internal provision.",
        ),
    ],
    source="Thesis 4.4.2, figure 37 (B9)",
)
_DIMS = ["client_group", "district", "year"]
_UNUSUAL = (
    "client_group string, district string, year int, residual double, p_adjusted double, "
    "flag string"
)


def providers_of(words: Elements, split: Split) -> list[tuple[str, str, bool]]:
    """Lists the elements of the services with their provider.

    Args:
        words: The vocabulary.
        split: Services, client groups and letters.

    Returns:
        One tuple per element: code, name of the client group, whether provision is internal.
    """
    providers = []
    for word in words.elements:
        if word.service in split.services and word.client_group in split.client_groups:
            after = word.code.upper().removeprefix(word.client_group.upper())
            name = words.client_groups.get(word.client_group, word.client_group)
            if after.startswith((split.internal, split.external)):
                providers.append((word.code.upper(), name, after.startswith(split.internal)))
    return providers


def counted_split(
    records: DataFrame,
    providers: Sequence[tuple[str, str, bool]],
    years: Iterable[Period],
    districts: Sequence[str],
) -> DataFrame:
    """Counts internal and external records by client group, district and year.

    Args:
        records: element, person, start, end, weekly_cost (pounds), district (null outside the
            city).
        providers: Result of `providers_of`.
        years: Consecutive calendar years and their total (`periods.with_total`).
        districts: Codes of the city's districts.

    Returns:
        One row per client group, district and year, with totals. Columns as in PROVISION_SPLIT,
        without `residual`, `p_adjusted` and `flag`.
    """
    spark = records.sparkSession
    elements = spark.createDataFrame(
        providers, "element string, client_group string, is_internal boolean"
    )
    periods = list(years)
    internal = F.col("is_internal").cast("int")
    rows = open_in(records.join(F.broadcast(elements), "element"), periods, "year int").select(
        *_DIMS, "person", "cost", internal.alias("internal"), (1 - internal).alias("external")
    )
    kinds = ["internal", "external"]
    counted = count_people(
        rows, _DIMS, cost="cost", totals=["client_group", "district"], sums=kinds
    )
    groups = dict.fromkeys(name for _, name, _ in providers)
    grid = spark.createDataFrame(
        list(product([*groups, None], [*districts, None], [period.label for period in periods])),
        "client_group string, district string, year int",
    )
    full = complete_grid(grid, counted, kinds)
    both = F.col("internal") + F.col("external")
    return full.select("*", F.try_divide("internal", both).alias("share_internal"))


def provision_split(
    records: DataFrame,
    providers: Sequence[tuple[str, str, bool]],
    years: Iterable[Period],
    districts: Sequence[str],
    split: Split,
) -> DataFrame:
    """Counts internal and external records, and flags unusual districts.

    Args:
        records: As in `counted_split`.
        providers: Result of `providers_of`.
        years: Consecutive calendar years and their total.
        districts: Codes of the city's districts.
        split: Settings of the test.

    Returns:
        One row per client group, district and year, with totals. Columns as in PROVISION_SPLIT.
    """
    counted = checkpointed(counted_split(records, providers, years, districts))
    placed = counted.where("district IS NOT NULL").select(*_DIMS, "internal", "external")
    tested = unusual_split(
        [tuple(row) for row in placed.collect()], split.significance, split.least_expected
    )
    flags = counted.sparkSession.createDataFrame(tested, _UNUSUAL)
    same = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in _DIMS]
    return (
        counted.alias("l")
        .join(F.broadcast(flags).alias("r"), same, "left")
        .select("l.*", "r.residual", "r.p_adjusted", "r.flag")
    )


def unusual_split(
    counts: Iterable[tuple[str | None, str, int | None, int, int]],
    significance: float,
    least_expected: float,
) -> list[tuple[str | None, str, int | None, float | None, float | None, str | None]]:
    """Compares the split of each district with that of its client group and year.

    Args:
        counts: client_group, district, year, internal, external.
        significance: Upper limit of the adjusted p of a flagged district.
        least_expected: Smallest expected number of records of either kind for a test.

    Returns:
        One tuple per client group, district and year: client_group, district, year, residual,
        p_adjusted, flag. The last three are None for a district that is not tested.
    """
    families = defaultdict(list)
    for group, district, year, internal, external in counts:
        families[group, year].append((district, internal, external))
    flags = []
    for (group, year), rows in families.items():
        expected, residual = residuals(np.array([counts for _, *counts in rows], dtype=float))
        z_of, least = residual[:, 0], expected.min(axis=1)
        tests = flag_residuals(z_of, least, significance, least_expected)
        for row, z, p, flag in zip(rows, z_of, *tests, strict=True):
            is_tested = not np.isnan(p)
            flags.append(
                (
                    group,
                    row[0],
                    year,
                    float(z) if is_tested else None,
                    float(p) if is_tested else None,
                    flag,
                )
            )
    return flags
