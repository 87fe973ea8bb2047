"""Recounts who uses elements of the costed agreements, when, how long and at what cost, by DuckDB.

Works on the kept rows that `twin_recount.database` reads from the files. In the keys of a result
None stands for all values, in which people and records count once.
"""

FIRST_YEAR, LAST_YEAR = 2010, 2015
ENABLEMENT = ("LDIHSENB", "OAIHSENB", "PDIHSENB")
REGIONS = {
    "Northern": ("B16", "B18", "B19", "B20", "B21"),
    "Eastern": ("B9", "B10", "B25", "B26", "B33"),
    "Southern": ("B13", "B14", "B30", "B31"),
}
DISTRICT = "left(code, length(code) - 3)"
# The years one by one, and all of them as one period.
PERIODS = f"""(SELECT y AS year, make_date(y, 1, 1) AS first, make_date(y, 12, 31) AS last
    FROM range({FIRST_YEAR}, {LAST_YEAR + 1}) r(y)
    UNION ALL SELECT NULL, make_date({FIRST_YEAR}, 1, 1), make_date({LAST_YEAR}, 12, 31))"""


def users_by_quarter(con, element):
    """Returns quarter -> people with an agreement open in it."""
    rows = con.execute(
        f"""SELECT year(first) || 'Q' || quarter(first), count(DISTINCT person)
        FROM (SELECT unnest(range(DATE '{FIRST_YEAR}-01-01', DATE '{LAST_YEAR + 1}-01-01',
            INTERVAL 3 MONTH)) AS first) LEFT JOIN (SELECT * FROM agreements_costed
            WHERE ELEMENT = ?) ON first_day < first + INTERVAL 3 MONTH AND last_day >= first
        GROUP BY 1 ORDER BY 1""",
        [element],
    ).fetchall()
    return dict(rows)


def users_between_quarters(con, element, first, second):
    """Returns the people of two quarters, given by their first days: of one, the other and both."""
    return con.execute(
        """WITH own AS (SELECT person, bool_or(first_day < ?::DATE + INTERVAL 3 MONTH
                AND last_day >= ?::DATE) AS a,
            bool_or(first_day < ?::DATE + INTERVAL 3 MONTH AND last_day >= ?::DATE) AS b
            FROM agreements_costed WHERE ELEMENT = ? GROUP BY 1)
        SELECT count(*) FILTER (a), count(*) FILTER (b), count(*) FILTER (a AND b) FROM own""",
        [first, first, second, second, element],
    ).fetchone()


def concentration(con, districts, elements):
    """Returns (district, element) -> (its records, all of the district), by start in the years."""
    rows = con.execute(
        f"""WITH begun AS (SELECT {DISTRICT} AS district, ELEMENT AS element FROM agreements_costed
            WHERE year(first_day) BETWEEN {FIRST_YEAR} AND {LAST_YEAR}),
        whole AS (SELECT district, count(*) AS records FROM begun GROUP BY 1)
        SELECT district, element, count(*), any_value(records)
        FROM begun JOIN whole USING (district)
        WHERE district IN {tuple(districts)} AND element IN {tuple(elements)} GROUP BY 1, 2"""
    ).fetchall()
    return {(d, e): (n, whole) for d, e, n, whole in rows}


def regions(con):
    """Returns region -> (people, records)."""
    return {
        name: con.execute(
            f"SELECT count(DISTINCT person), count(*) FROM agreements_costed "
            f"WHERE {DISTRICT} IN {districts}"
        ).fetchone()
        for name, districts in REGIONS.items()
    }


def cost_by_year(con, service):
    """Returns year -> (people, records, sum of weekly costs) of the agreements open in it."""
    rows = con.execute(
        f"""SELECT year, count(DISTINCT person), count(*), sum(WEEKLY_COST::DECIMAL(18, 2))
        FROM agreements_costed JOIN {PERIODS} ON first_day <= last AND last_day >= first
        WHERE SERVICE = ? AND year IS NOT NULL GROUP BY 1 ORDER BY 1""",
        [service],
    ).fetchall()
    return {year: (people, records, float(cost)) for year, people, records, cost in rows}


def day_care(con, districts):
    """Returns (letters of the client group, district, year) -> (internal, external) records."""
    rows = con.execute(
        f"""WITH care AS (SELECT left(ELEMENT, 2) AS client, ELEMENT[3] = 'I' AS own, year,
            CASE WHEN {DISTRICT} IN {tuple(districts)} THEN {DISTRICT} END AS district
            FROM agreements_costed JOIN {PERIODS} ON first_day <= last AND last_day >= first
            WHERE SERVICE = 'DAYC')
        SELECT client, district, grouping(district) = 1, year, count(*) FILTER (own),
            count(*) FILTER (NOT own)
        FROM care GROUP BY GROUPING SETS ((client, district, year), (client, year),
            (district, year), (year))"""
    ).fetchall()
    return {(c, d, y): (i, e) for c, d, every, y, i, e in rows if every or d is not None}


def enablement(con, districts):
    """Returns (element, district, year) -> (people, people over, days over, cost over).

    Goes by single days: a day is beyond when it is the 43rd or a later one of an unbroken run.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE used AS SELECT ADEID, person, ELEMENT AS element,
            CASE WHEN {DISTRICT} IN {tuple(districts)} THEN {DISTRICT} END AS district,
            coalesce(WEEKLY_COST, '0')::DECIMAL(18, 2) AS pounds,
            unnest(range(first_day, last_day + 1, INTERVAL 1 DAY))::DATE AS day
        FROM agreements_costed WHERE ELEMENT IN {ENABLEMENT}"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE run AS SELECT person, element, day,
            row_number() OVER (PARTITION BY person, element, island ORDER BY day) > 42 AS beyond
        FROM (SELECT *, day - row_number() OVER (PARTITION BY person, element ORDER BY day)::INT
                AS island
            FROM (SELECT DISTINCT person, element, day FROM used))"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE beyond AS SELECT ADEID, person, element, district, pounds,
            year, list(day) FILTER (beyond) AS days
        FROM used JOIN run USING (person, element, day)
            JOIN {PERIODS} ON day BETWEEN first AND last GROUP BY ALL"""
    )
    sets = "((element, district, year), (element, year), (district, year), (year))"
    people = con.execute(
        f"""SELECT element, district, grouping(district) = 1, year, count(DISTINCT person),
            count(DISTINCT person) FILTER (len(days) > 0),
            sum(round(pounds * coalesce(len(days), 0) / 7, 2)::DECIMAL(18, 2))
        FROM beyond GROUP BY GROUPING SETS {sets}"""
    ).fetchall()
    days = con.execute(
        f"""SELECT element, district, grouping(district) = 1, year, count(*) FROM (
            SELECT DISTINCT person, element, district, year, unnest(days) FROM beyond)
        GROUP BY GROUPING SETS {sets}"""
    ).fetchall()
    days = {(e, d, y): n for e, d, every, y, n in days if every or d is not None}
    return {
        (e, d, y): (n, over, days.get((e, d, y), 0), float(cost))
        for e, d, every, y, n, over, cost in people
        if every or d is not None
    }


def agreements_of_spells(con):
    """Returns how many agreements for enablement start the day after, and before the end of, one
    of the same person and element.
    """
    return con.execute(
        f"""SELECT count(*) FILTER (first_day = reached + 1),
            count(*) FILTER (first_day <= reached)
        FROM (SELECT first_day, max(last_day) OVER (PARTITION BY person, ELEMENT
                ORDER BY first_day, last_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS reached
            FROM agreements_costed WHERE ELEMENT IN {ENABLEMENT})"""
    ).fetchone()
