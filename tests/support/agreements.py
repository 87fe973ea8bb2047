"""Made-up agreements as the analyses of use see them, for Spark and for plain Python."""

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from socare_spark.analyses.use.settings import Provider, Split
from socare_spark.measures.periods import with_total, years

YEARS = with_total(years(2010, 2011))
DISTRICTS = ["B1", "B2", "B3"]
PROVIDERS = [
    Provider("A", "Old", True),
    Provider("B", "Old", False),
    Provider("C", "Young", False),
    Provider("D", "Young", True),
]
SPLIT = Split(services=("S",), client_groups=("O", "Y"), least_expected=1)
COLUMNS = ("element", "person", "start", "end", "weekly_cost", "district")
SCHEMA = (
    "element string, person bigint, start date, end date, weekly_cost decimal(12,2), "
    "district string"
)


def made_up(seed, number, *, first=date(2009, 10, 1), days=900, people=30):
    """Agreements of a few people: short and long, nested, adjoining, of one day, without cost."""
    draw = random.Random(seed)
    rows = []
    for _ in range(number):
        start = first + timedelta(draw.randrange(days))
        end = start + timedelta(draw.choice([0, 1, 6, 20, 41, 42, 43, 90, 200]))
        cost = draw.choice([None, Decimal(draw.randrange(100, 90000)) / 100])
        element = draw.choice(["A", "B", "C", "D", None])
        person = draw.choice([None, *range(people)])
        district = draw.choice(["B1", "B2", "B3", None])
        rows.append((element, person, start, end, cost, district))
        if draw.random() < 0.4:
            # The next agreement adjoins, or leaves a gap of some days.
            after = end + timedelta(draw.choice([1, 1, 2, 4, 6]))
            again = (element, person, after, after + timedelta(draw.randrange(60)), cost, district)
            rows.append(again)
    return rows


def frames(spark, rows):
    """The same rows for Spark and for DuckDB."""
    pandas = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    return spark.createDataFrame(rows, SCHEMA), pandas


def cost_of(weekly_cost, days):
    """Weekly cost / 7 x days to the penny; None without a cost."""
    if weekly_cost is None:
        return None
    return (weekly_cost * days / 7).quantize(Decimal("0.01"), ROUND_HALF_UP)
