"""The tables of `use` at the study's size, recounted by DuckDB from the restricted rows.

Every day is unfolded and looked at by itself: that knows nothing of intervals.
"""

from pathlib import Path

import pytest
import yaml

CONF = Path(__file__).parents[2] / "conf"
SETTINGS = yaml.safe_load((CONF / "analyses" / "use.yaml").read_text("utf-8"))
WORDS = yaml.safe_load((CONF / "vocabulary" / "elements.yaml").read_text("utf-8"))
YEARS = range(SETTINGS["first_year"], SETTINGS["last_year"] + 1)
# Agreements in use of some elements, and each of their days from the first year to the last.
AGREEMENTS = """
    WITH agreements AS (
        SELECT adeid AS id, person, upper(trim(element)) AS element, agreement_start AS s,
            agreement_end AS e, weekly_cost AS weekly, split_part(postcode, ' ', 1) AS district
        FROM {{restricted/agreements_costed}}
        WHERE list_contains({elements}, upper(trim(element)))),
    days AS (
        SELECT *, unnest(generate_series(s, e, INTERVAL 1 DAY))::DATE AS day FROM agreements),
    quarters AS (
        SELECT *, year(day) || 'Q' || quarter(day) AS quarter FROM days
        WHERE year(day) BETWEEN {first} AND {last})
    """


def agreements(elements):
    return AGREEMENTS.format(elements=sorted(elements), first=YEARS[0], last=YEARS[-1])


def of_services(*services):
    return [word["code"] for word in WORDS["elements"] if word["service"] in services]


def rows_of(frame, *columns):
    some = frame[list(columns)].astype(object)
    return {tuple(row) for row in some.where(some.notna(), None).to_numpy().tolist()}


def test_users_by_quarter(study):
    found = study.frame("working/users_by_quarter")
    assert len(found) == len(YEARS) * 4 * len(SETTINGS["quarters"]["elements"])
    expected = study.query(
        agreements(SETTINGS["quarters"]["elements"])
        + """, open AS (
            SELECT element, quarter, id, person, weekly, count(*) AS n FROM quarters GROUP BY ALL)
        SELECT element, quarter, count(DISTINCT person), count(*),
            sum(round(weekly * n / 7, 2)::DECIMAL(20,2))
        FROM open GROUP BY ALL"""
    )
    names = ("element", "quarter", "people", "records", "cost")
    assert rows_of(found[found["records"] > 0], *names) == set(expected)


def test_users_between_quarters(study):
    found = study.frame("working/users_between_quarters")
    (pair,) = SETTINGS["quarters"]["pairs"]
    expected = study.query(
        agreements(SETTINGS["quarters"]["elements"])
        + f""", present AS (SELECT element, person, bool_or(quarter = '{pair[0]}') AS a,
                bool_or(quarter = '{pair[1]}') AS b FROM quarters GROUP BY element, person)
        SELECT element, count_if(a), count_if(b), count_if(a AND b), count_if(a AND NOT b),
            count_if(b AND NOT a) FROM present WHERE a OR b GROUP BY element"""
    )
    names = ("element", "people_a", "people_b", "people_both", "only_a", "only_b")
    anybody = found[found["people_a"] + found["people_b"] > 0]
    assert rows_of(anybody, *names) == set(expected)
    assert sorted(found["element"]) == sorted(SETTINGS["quarters"]["elements"])


@pytest.mark.parametrize("year", ["year(day)", "NULL"])
def test_threshold_use(study, year):
    threshold = SETTINGS["threshold"]
    expected = study.query(
        agreements(threshold["elements"])
        + f""", each AS (SELECT DISTINCT person, element, day FROM days),
        runs AS (
            SELECT *, day - row_number() OVER (PARTITION BY person, element ORDER BY day)::INT
                AS run FROM each),
        beyond AS (
            SELECT person, element, day FROM runs
            QUALIFY row_number() OVER (PARTITION BY person, element, run ORDER BY day)
                > 7 * {threshold["weeks"]}),
        used AS (
            SELECT q.*, b.day IS NOT NULL AS over, {year} AS year
            FROM quarters q LEFT JOIN beyond b USING (person, element, day)),
        open AS (
            SELECT element, year, id, person, weekly, count(*) AS n, count_if(over) AS n_over
            FROM used GROUP BY ALL),
        costs AS (
            SELECT element, year, count(DISTINCT person) AS people, count(*) AS records,
                sum(round(weekly * n / 7, 2)::DECIMAL(20,2)) AS cost,
                count(DISTINCT person) FILTER (n_over > 0) AS people_over,
                coalesce(sum(round(weekly * n_over / 7, 2)::DECIMAL(20,2)), 0) AS cost_over
            FROM open GROUP BY year, ROLLUP (element)),
        weeks AS (
            SELECT element, year, count(DISTINCT (person, element, day)) FILTER (over) AS days
            FROM used GROUP BY year, ROLLUP (element))
        SELECT c.*, days FROM costs c JOIN weeks w ON c.element IS NOT DISTINCT FROM w.element
            AND c.year IS NOT DISTINCT FROM w.year"""
    )
    frame = study.frame("working/threshold_use")
    of_years = frame["year"].isna() == (year == "NULL")
    found = frame[frame["district"].isna() & of_years & (frame["records"] > 0)].copy()
    assert len(found) == len(expected) >= len(threshold["elements"])
    found["days"] = (found["weeks_over"] * 7).round().astype(int)
    names = (
        "element", "year", "people", "records", "cost", "people_over", "cost_over", "days",
    )  # fmt: skip
    assert rows_of(found, *names) == set(expected)
    assert (found["share_over"] == found["people_over"] / found["people"]).all()


def test_element_cost_by_year(study):
    frame = study.frame("working/element_cost_by_year")
    assert len(frame) == len(YEARS) * len(SETTINGS["programmes"])
    for group, programme in SETTINGS["programmes"].items():
        expected = study.query(
            agreements(of_services(*programme["services"]))
            + """, open AS (
                SELECT year(day) AS year, id, person, weekly, count(*) AS n
                FROM quarters GROUP BY ALL)
            SELECT year, count(DISTINCT person), count(*), sum(weekly),
                sum(round(weekly * n / 7, 2)::DECIMAL(20,2))
            FROM open GROUP BY ALL"""
        )
        own = frame[(frame["element_group"] == group) & (frame["records"] > 0)]
        names = ("year", "people", "records", "weekly_cost", "cost")
        assert rows_of(own, *names) == set(expected)
        for share in ("share_people", "share_records", "share_cost"):
            assert own[share].sum() == pytest.approx(1)


def test_provision_split(study):
    split = SETTINGS["split"]
    frame = study.frame("working/provision_split")
    for letter, name in (("I", "internal"), ("E", "external")):
        codes = {
            word["code"]: WORDS["client_groups"][word["client_group"]]
            for word in WORDS["elements"]
            if word["service"] in split["services"]
            and word["code"].startswith(word["client_group"] + letter)
        }
        expected = dict(
            study.query(
                agreements(codes) + "SELECT element, count(DISTINCT id) FROM quarters GROUP BY ALL"
            )
        )
        whole = frame[frame["district"].isna() & frame["year"].isna()]
        by_group = {g: n for g, n in rows_of(whole, "client_group", name) if n}
        assert by_group.pop(None) == sum(expected.values())
        of_group = {}
        for code, records in expected.items():
            of_group[codes[code]] = of_group.get(codes[code], 0) + records
        assert by_group == of_group
