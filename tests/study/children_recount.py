"""Recounts from the children's files what the twin says of blocks, renamings, declared periods and
timelines.

The connection is `twin_recount.database`'s; declared periods and renamings are read from the facts,
not from the texts.
"""

from pathlib import Path

FACTS = Path(__file__).parents[2] / "socare_spark" / "twin" / "facts"
CODES = """SELECT *, regexp_extract(ASSESSMENT_REASON, '^([A-Z0-9_]+) [-\u2013] ', 1) AS reason,
    regexp_extract(FORM_OUTCOME, '^([A-Z0-9_]+) [-\u2013] ', 1) AS outcome
    FROM children_assessments"""


def blocks(con, least=10):
    """Returns (number, kind, month, combinations, people, records) in order."""
    return con.execute(
        f"""WITH r AS ({CODES}),
        c AS (SELECT reason, outcome, min(first_day) AS f, max(last_day) AS l FROM r GROUP BY ALL),
        e AS (SELECT reason, outcome, 'start' AS kind, date_trunc('month', f) AS month FROM c
            UNION ALL SELECT reason, outcome, 'end', date_trunc('month', l) FROM c),
        b AS (SELECT kind, month, count(*) AS n FROM e WHERE month <> CASE kind
            WHEN 'start' THEN (SELECT min(month) FROM e) ELSE (SELECT max(month) FROM e) END
            GROUP BY ALL HAVING n >= {least})
        SELECT dense_rank() OVER (ORDER BY month, kind DESC), kind, CAST(month::DATE AS VARCHAR), n,
            count(DISTINCT person), count(*)
        FROM b JOIN e USING (kind, month) JOIN r USING (reason, outcome)
        GROUP BY kind, month, n ORDER BY 1"""
    ).fetchall()


def renames(con):
    """Returns (earlier reason, later reason, days between, people, records)."""
    return con.execute(
        f"""WITH r AS ({CODES}) SELECT reason_a, reason_b,
            date_diff('day', max(last_day) FILTER (reason = reason_a),
                min(first_day) FILTER (reason = reason_b)) - 1,
            count(DISTINCT person), count(*)
        FROM read_csv('{FACTS}/renames.csv') JOIN r ON reason IN (reason_a, reason_b)
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()


def periods(con):
    """Returns (reason, declared from, to, observed from, to, records outside, people, records)."""
    return con.execute(
        f"""WITH r AS ({CODES}), d AS (SELECT * FROM read_csv('{FACTS}/periods.csv',
            types = {{'declared_from': 'DATE', 'declared_to': 'DATE'}}))
        SELECT reason, CAST(declared_from AS VARCHAR), CAST(declared_to AS VARCHAR),
            CAST(min(first_day) AS VARCHAR), CAST(max(last_day) AS VARCHAR),
            CASE WHEN coalesce(declared_from, declared_to) IS NOT NULL THEN
                count(*) FILTER (first_day < declared_from OR first_day > declared_to) END,
            count(DISTINCT person), count(*)
        FROM r JOIN d USING (reason) GROUP BY reason, declared_from, declared_to ORDER BY reason"""
    ).fetchall()


def timelines(con, owner):
    """Returns (sub-process, month, people, records) of everybody's timelines.

    Args:
        con: The connection.
        owner: Reason -> sub-process.
    """
    con.execute("CREATE OR REPLACE TABLE owner (reason VARCHAR, subprocess VARCHAR)")
    con.executemany("INSERT INTO owner VALUES (?, ?)", list(owner.items()))
    return con.execute(
        f"""SELECT subprocess, CAST(date_trunc('month', first_day)::DATE AS VARCHAR) AS month,
            count(DISTINCT person), count(*)
        FROM ({CODES}) JOIN owner USING (reason) GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
