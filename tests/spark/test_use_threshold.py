"""Use beyond a threshold, against sets of days that know nothing of intervals."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from agreements import SCHEMA, cost_of, frames, made_up
from frames import counts_of

from socare_spark.analyses.use.records import in_periods
from socare_spark.analyses.use.settings import Threshold
from socare_spark.analyses.use.threshold import (
    PEOPLE_WITH,
    SUMS,
    THRESHOLD_USE,
    over_columns,
    threshold_grouping,
    threshold_use,
    with_beyond,
)
from socare_spark.measures.periods import with_total, years

YEARS = with_total(years(2010, 2011))
DISTRICTS = ["B1", "B2", "B3"]
NAMES = ("people", "records", "cost", "people_over", "weeks_over", "cost_over")


def used(records, threshold):
    """Rows of THRESHOLD_USE as dictionaries, with None for null."""
    rows = in_periods(with_beyond(records, threshold), YEARS).withColumns(over_columns())
    measures = {"cost": "cost", "sums": SUMS, "people_with": PEOPLE_WITH}
    counts = counts_of(rows, threshold_grouping(threshold, YEARS), **measures)
    made = threshold_use(counts[THRESHOLD_USE], threshold, YEARS, DISTRICTS)
    return made.astype(object).where(made.notna(), None).to_dict("records")


def days_of(row):
    _, _, start, end, *_ = row
    return [start + timedelta(n) for n in range((end - start).days + 1)]


def beyond_days(rows, weeks, gap):
    """(person, element) -> the days of its spells after so many weeks, gaps included."""
    covered = defaultdict(set)
    for row in rows:
        if row[1] is not None:
            covered[row[1], row[0]].update(days_of(row))
    found = {}
    for key, days in covered.items():
        run, beyond, before = 0, set(), None
        for day in sorted(days):
            apart = 0 if before is None else (day - before).days
            run = run + apart if before and apart <= gap + 1 else 1
            if run > weeks * 7:
                beyond.add(day)
            before = day
        found[key] = beyond
    return found


def oracle(rows, elements, weeks, gap):
    """(element, year, district) -> NAMES, None for all, of cells in which something is open."""
    rows = [row for row in rows if row[0] in elements]
    beyond = beyond_days(rows, weeks, gap)
    owner = {}
    for number, row in sorted(enumerate(rows), key=lambda r: (*r[1][2:4], r[1][5] or "")):
        for day in days_of(row):
            owner.setdefault((row[1], row[0], day), number)
    cells = defaultdict(lambda: [set(), 0, None, set(), 0, Decimal(0)])
    for number, row in enumerate(rows):
        element, person, _, _, weekly, district = row
        for period in YEARS:
            days = [day for day in days_of(row) if period.first <= day <= period.last]
            over = [day for day in days if day in beyond.get((person, element), ())]
            own = [day for day in over if owner[person, element, day] == number]
            if not days:
                continue
            for key in {(e, period.label, d) for e in (element, None) for d in (district, None)}:
                cell = cells[key]
                cell[0] |= {person} - {None}
                cell[1] += 1
                if weekly is not None:
                    cell[2] = (cell[2] or 0) + cost_of(weekly, len(days))
                    cell[5] += cost_of(weekly, len(over))
                if over:
                    cell[3].add(person)
                cell[4] += len(own)
    return {
        key: (len(people), records, cost, len(over), pytest.approx(days / 7), cost_over)
        for key, (people, records, cost, over, days, cost_over) in cells.items()
    }


@pytest.mark.parametrize(("weeks", "gap"), [(6, 0), (6, 4), (1, 1)])
def test_days_beyond_the_threshold_equal_a_plain_recount(spark, weeks, gap):
    rows = made_up(f"threshold {gap}", 260)
    records, _ = frames(spark, rows)
    threshold = Threshold(elements=("A", "B", "C"), weeks=weeks, gap_days=gap)
    made = used(records, threshold)
    expected = oracle(rows, ("A", "B", "C"), weeks, gap)
    found = {
        (r["element"], r["year"], r["district"]): tuple(r[n] for n in NAMES)
        for r in made
        if r["records"]
    }
    assert found == expected
    assert any(cell[3] for cell in expected.values())
    # Every cell is there, and a day of one person and element counts once wherever one adds up.
    assert len(made) == 4 * 3 * 4
    by = {(r["element"], r["year"], r["district"]): r["weeks_over"] for r in made}
    for year in (2010, 2011, None):
        assert by[None, year, None] == pytest.approx(sum(by[e, year, None] for e in "ABC"))


def one_person(spark, *agreements):
    rows = [("A", 1, start, end, Decimal("70.00"), place) for start, end, place in agreements]
    return spark.createDataFrame(rows, SCHEMA)


def over(rows, *columns):
    whole = [row for row in rows if row["element"] is None]
    return {(r["year"], r["district"]): tuple(r[c] for c in columns) for r in whole}


def test_six_weeks_are_not_more_than_six_weeks(spark):
    """42 days in two adjoining agreements; a day more is a day beyond."""
    threshold = Threshold(elements=("A",))
    first, second = date(2010, 1, 1), date(2010, 1, 22)
    for last, people, weeks, cost in [
        (date(2010, 2, 11), 0, 0.0, Decimal("0.00")),
        (date(2010, 2, 12), 1, 1 / 7, Decimal("10.00")),
    ]:
        records = one_person(spark, (first, date(2010, 1, 21), "B1"), (second, last, "B1"))
        made = over(used(records, threshold), "people_over", "weeks_over", "cost_over")
        assert made[2010, "B1"] == (people, weeks, cost)


def test_threshold_crossed_on_new_years_day_counts_in_the_new_year(spark):
    records = one_person(spark, (date(2010, 11, 20), date(2011, 1, 2), "B1"))
    rows = used(records, Threshold(elements=("A",)))
    made = over(rows, "people", "people_over", "share_over", "cost_over")
    assert made[2010, "B1"] == (1, 0, 0.0, Decimal("0.00"))
    assert made[2011, "B1"] == (1, 1, 1.0, Decimal("20.00"))
    assert made[None, None] == (1, 1, 1.0, Decimal("20.00"))
    assert made[2011, "B2"] == (0, 0, None, Decimal("0.00"))


def test_records_without_a_person_are_not_sorted_together(spark):
    day = date(2010, 1, 1)
    rows = [("A", 1, day, date(2010, 3, 1), None, "B1"), ("A", None, day, day, None, None)]
    records = spark.createDataFrame(rows, SCHEMA)
    beyond = with_beyond(records, Threshold(elements=("A",)))
    found = {row["person"]: (row["beyond"], row["own_beyond"]) for row in beyond.collect()}
    assert found == {None: (None, None), 1: (date(2010, 2, 12),) * 2}
    plan = beyond._jdf.queryExecution().optimizedPlan().toString().splitlines()
    sorted_by = [below(plan, at) for at, line in enumerate(plan) if "Window [" in line]
    assert sorted_by
    assert all("isnotnull(person" in lines for lines in sorted_by)


def below(plan, at):
    """The part of a plan that feeds one of its lines."""
    depth = [len(line) - len(line.lstrip(" :+-")) for line in plan]
    end = next((n for n in range(at + 1, len(plan)) if depth[n] <= depth[at]), len(plan))
    return "\n".join(plan[at:end])
