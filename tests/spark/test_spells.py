"""Spells against a set of days, which knows nothing of order, nesting or overlap."""

import random
from datetime import date, timedelta

import pytest
from pyspark.sql import functions as F

from socare_spark.measures.spells import with_spells

FIRST = date(2014, 12, 20)
UNTIL = date(2015, 3, 1)
SCHEMA = "person bigint, element string, start date, end date"


def day(n):
    return None if n is None else FIRST + timedelta(n)


def spells(intervals, gap=0):
    """One row per spell: person, element, start, end, intervals."""
    made = with_spells(intervals, ["person", "element"], gap_days=gap)
    spell = [F.col("spell_start").alias("start"), F.col("spell_end").alias("end")]
    return made.groupBy("person", "element", *spell).agg(F.count(F.lit(1)).alias("intervals"))


def by_days(intervals, gap):
    """The spells of intervals given as first and last day number; None for an open end."""
    until = (UNTIL - FIRST).days
    closed = [(a, until if b is None else b) for a, b in intervals]
    closed = [(a, b) for a, b in closed if b >= a]
    covered = sorted({d for a, b in closed for d in range(a, b + 1)})
    runs = []
    for d in covered:
        if runs and d - runs[-1][1] <= gap + 1:
            runs[-1][1] = d
        else:
            runs.append([d, d])
    return [(a, b, sum(a <= x <= b for x, _ in closed)) for a, b in runs]


def random_intervals(draw):
    found = []
    for _ in range(draw.randrange(0, 9)):
        first = draw.randrange(0, 60)
        how = draw.random()
        if how < 0.1:
            last = None
        elif how < 0.2:
            last = first
        elif how < 0.3:
            last = first - draw.randrange(1, 5)
        else:
            last = first + draw.choice([1, 2, 3, 5, 8, 30])
        found.append((first, last))
    return found


@pytest.mark.parametrize("gap", [0, 1, 4])
def test_spells_are_the_runs_of_covered_days(spark, gap):
    draw = random.Random(f"spells {gap}")
    cases = [random_intervals(draw) for _ in range(300)]
    rows = [(i, None, day(a), day(b)) for i, case in enumerate(cases) for a, b in case]
    draw.shuffle(rows)
    frame = spark.createDataFrame(rows, SCHEMA).repartition(3)
    until = frame.withColumn("end", F.coalesce("end", F.lit(UNTIL)))
    found = {i: [] for i in range(len(cases))}
    for r in spells(until, gap).orderBy("person", "start").collect():
        found[r["person"]].append((r["start"], r["end"], r["intervals"]))
    expected = {
        i: [(day(a), day(b), n) for a, b, n in by_days(case, gap)] for i, case in enumerate(cases)
    }
    assert found == expected


def test_another_element_is_another_spell(spark):
    rows = [(1, "A", day(0), day(9)), (1, "B", day(5), day(20)), (1, None, day(8), day(8))]
    made = spells(spark.createDataFrame(rows, SCHEMA))
    found = {(r["element"], r["start"], r["end"]) for r in made.collect()}
    assert found == {("A", day(0), day(9)), ("B", day(5), day(20)), (None, day(8), day(8))}


def test_open_intervals_without_an_end_of_their_own_are_left_out(spark):
    rows = [(1, "A", day(0), None), (1, "A", day(3), day(4))]
    made = spells(spark.createDataFrame(rows, SCHEMA))
    assert [(r["start"], r["end"]) for r in made.collect()] == [(day(3), day(4))]


def test_one_person_with_ten_thousand_agreements(spark):
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    rows = spark.range(10_000).selectExpr(
        "1L as person", "'A' as element", "date_add(date'2000-01-01', cast(id % 5000 as int)) start"
    )
    rows = rows.withColumn("end", F.date_add("start", 3))
    (only,) = spells(rows).collect()
    days = (only["end"] - only["start"]).days + 1
    assert (days, only["intervals"]) == (5003, 10_000)


def test_earlier_intervals_cover_days_in_the_order_of_their_days(spark):
    rows = [(1, "B", day(0), day(3)), (1, "A", day(0), day(3)), (1, "C", day(2), day(2))]
    frame = spark.createDataFrame(rows, SCHEMA)
    made = with_spells(frame, ["person"], then_by=["element"])
    found = {r["element"]: r["covered_until"] for r in made.collect()}
    assert found == {"A": None, "B": day(3), "C": day(3)}
