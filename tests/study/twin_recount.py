"""Recounts the twin from its files with DuckDB and plain Python, sharing no line with the code that
wrote them.
"""

import csv
import gzip
import io
import re
import unicodedata
from collections import Counter
from datetime import datetime
from pathlib import Path

import duckdb

AGREEMENT_REQUIRED = ("ADEID", "DOB", "AGREEMENT_START", "ELEMENT")
AGREEMENT_DATES = ("AGREEMENT_START", "AGREEMENT_END")
ASSESSMENT_DATES = ("ASSESSMENT_START", "ASSESSMENT_END")
CLOSED = (*AGREEMENT_REQUIRED, "AGREEMENT_END")
ADULT_REQUIRED = ("ASM_ID", *ASSESSMENT_DATES, "QSA_GROUP")
CHILD_REQUIRED = ("ASM_ID", *ASSESSMENT_DATES, "ASSESSMENT_REASON", "FORM_OUTCOME")
REQUEST_REQUIRED = ("RECORD_ID", "SERVICE_DESCRIPTION", "REQUEST_DATE")
TENANCY_DATES = ("TENANCY_START", "TENANCY_END")
TENANCY_REQUIRED = ("TENANCY_ID", "TENANCY_START", "TENURE")
# dataset -> key, required cells, start, end, whether birth must come before start
RULES = {
    "agreements_closed": ("ADEID", CLOSED, *AGREEMENT_DATES, True),
    "agreements_costed": ("ADEID", CLOSED, *AGREEMENT_DATES, True),
    "agreements_adult": ("ADEID", AGREEMENT_REQUIRED, *AGREEMENT_DATES, True),
    "adult_assessments": ("ASM_ID", ADULT_REQUIRED, *ASSESSMENT_DATES, True),
    "children_assessments": ("ASM_ID", CHILD_REQUIRED, *ASSESSMENT_DATES, False),
    "requests": ("RECORD_ID", REQUEST_REQUIRED, "REQUEST_DATE", None, False),
    "tenancies": ("TENANCY_ID", TENANCY_REQUIRED, *TENANCY_DATES, False),
    "crosswalk_tenants": ("PERID, TENANT_ID", ("PERID", "TENANT_ID"), None, None, False),
}
SNAPSHOTS = ("requests", "crosswalk_tenants")
PERSON = {"tenancies": "TENANT_ID"}
SPELLINGS = {
    "Person Identifier": "PERID",
    "SERVICE/ELEMENT_COST": "WEEKLY_COST",
    "Agreement Start": "AGREEMENT_START",
    "Agreement End": "AGREEMENT_END",
}
NOBODY = {"", "0", "999999999", "UNKNOWN", "N/A", "TEST"}
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}")
NULL_PERSON = "<nobody>"


def period_of(path):
    return (
        path.name.split(".")[0].rsplit("_", 1)[1]
        if "requests" not in path.name
        else path.name[9:19]
    )


def text_of(path):
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode("cp1252" if path.name == "agreements_closed_2007.csv" else "utf-8")


def rows_of(path):
    """Yields the header once and then each row."""
    return csv.reader(io.StringIO(text_of(path), newline=""), strict=True)


def as_date(text):
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def person_of(text):
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return NULL_PERSON if plain in NOBODY else plain.lstrip("0")


def reasons_of(dataset, header, row, as_of):
    """Returns the reasons for which a row must be quarantined."""
    if len(row) != len(header):
        return {"row_shape"}
    cells = dict(zip(header, row, strict=True))
    _, required, start, end, born_first = RULES[dataset]
    person = PERSON.get(dataset, "PERID")
    empty = [c for c in required if not cells[c].strip() and c != person]
    found = {"missing"} if empty else set()
    dates = {}
    for column in (start, end, "DOB", "AGREEMENT_START", "AGREEMENT_END"):
        if cells.get(column):
            dates[column] = as_date(cells[column])
            if dates[column] is None:
                found.add("date_format")
            elif not datetime(1900, 1, 1).date() <= dates[column] <= as_of:
                found.add("date_range")
    if dates.get(start) and dates.get(end) and dates[end] < dates[start]:
        found.add("date_order")
    if born_first and dates.get("DOB") and dates.get(start) and dates["DOB"] > dates[start]:
        found.add("date_order")
    if cells.get("WEEKLY_COST") and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", cells["WEEKLY_COST"]):
        found.add("type")
    if "GENDER" in cells and cells["GENDER"] not in {"F", "M", "U"}:
        found.add("not_allowed")
    if cells.get("POSTCODE") and not POSTCODE.fullmatch(
        re.sub(r"\s", "", cells["POSTCODE"]).upper()
    ):
        found.add("pattern")
    if dataset != "requests" and person_of(cells[person]) == NULL_PERSON:
        found.add("person_missing")
    return found


def ledger(landing, dataset):
    """Returns file -> counts as truth.json has them, read row by row."""
    counts, keys = {}, {}
    for path in sorted((landing / dataset).iterdir(), key=period_of):
        period = period_of(path)
        as_of = datetime.strptime(period if "-" in period else f"{period}-12-31", "%Y-%m-%d").date()
        rows = rows_of(path)
        header = [SPELLINGS.get(c, c) for c in next(rows)]
        places = [header.index(c) for c in RULES[dataset][0].split(", ")]
        read = kept = duplicate = several = 0
        reasons, seen = Counter(), {}
        for row in rows:
            read += 1
            why = reasons_of(dataset, header, row, as_of)
            reasons.update(why)
            several += len(why) > 1
            if why:
                continue
            key = tuple(row[place] for place in places)
            if key in seen:
                assert seen[key] == row
                duplicate += 1
                continue
            seen[key] = row
            kept += 1
        name = f"{dataset}/{path.name}"
        counts[name] = {
            "rows_read": read, "rows_kept": kept, "rows_quarantined": read - kept - duplicate,
            "rows_duplicate": duplicate, "rows_superseded": 0,
            "reasons": dict(sorted(reasons.items())),
        }  # fmt: skip
        assert several == 0, f"{name}: rows with more than one reason"
        if dataset not in SNAPSHOTS:
            for key in seen:
                if key in keys:
                    counts[keys[key]]["rows_superseded"] += 1
                    counts[keys[key]]["rows_kept"] -= 1
                keys[key] = name
    return counts


# --- the tables, by DuckDB ------------------------------------------------------------------------

FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in range(10))


def database(landing, scratch):
    """Returns a connection with one table of kept rows for each dataset, and the postcodes."""
    con = duckdb.connect()
    con.execute("SET threads = 2; SET preserve_insertion_order = false")
    for dataset in RULES:
        _load(con, landing, dataset, scratch)
    con.execute(
        f"""CREATE TABLE place AS SELECT replace(column0, ' ', '') AS unit, column9 AS ward
        FROM read_csv('{landing}/reference/postcodes/codepoint.csv', header = false,
            all_varchar = true)
        WHERE column8 = 'E08000025' AND column2 <> '0'"""
    )
    return con


def _load(con, landing, dataset, scratch):
    key, required, start, end, born_first = RULES[dataset]
    whose = PERSON.get(dataset, "PERID")
    parts = []
    for path in sorted((landing / dataset).iterdir(), key=period_of):
        source = path
        if path.name == "agreements_closed_2007.csv":
            source = Path(scratch) / path.name
            source.write_text(text_of(path), encoding="utf-8", newline="")
        header = next(rows_of(path)) if path.stat().st_size < 10**6 else _first_line(path)
        names = [SPELLINGS.get(c, c) for c in header]
        columns = ", ".join(f"'{c}': 'VARCHAR'" for c in names)
        missing = [f"NULL AS {c}" for c in ("POSTCODE", whose) if c not in names]
        held = set(names)
        period = period_of(path)
        as_of = period if "-" in period else f"{period}-12-31"
        parts.append(
            f"""SELECT {", ".join([*names, *missing])}, '{period}' AS period,
            DATE '{as_of}' AS as_of
            FROM read_csv('{source}', auto_detect = false, delim = ',', quote = '"', escape = '"',
            new_line = '\\n',
            header = false, skip = 1, columns = {{{columns}}}, ignore_errors = true,
            parallel = false)"""
        )
    good = [f"{c} IS NOT NULL AND trim({c}) <> ''" for c in required]
    dates = [c for c in (start, end, "DOB") if c in held]
    good += [f"({c} IS NULL OR {_date(c)} BETWEEN DATE '1900-01-01' AND as_of)" for c in dates]
    if end:
        good.append(f"({end} IS NULL OR {_date(end)} >= {_date(start)})")
    if born_first:
        good.append(f"(DOB IS NULL OR {_date('DOB')} <= {_date(start)})")
    if dataset != "requests":
        good.append("person IS NOT NULL")
    if "GENDER" in held:
        good.append("GENDER IN ('F', 'M', 'U')")
    if "WEEKLY_COST" in held:
        good.append("(WEEKLY_COST IS NULL OR regexp_full_match(WEEKLY_COST, '[0-9]+(\\.[0-9]+)?'))")
    good.append(
        "(POSTCODE IS NULL OR regexp_full_match(code, '[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}'))"
    )
    nobody = ", ".join(f"'{n}'" for n in NOBODY)
    partition = f"period, {key}" if dataset in SNAPSHOTS else key
    first_day = _date(start) if start else "NULL"
    con.execute(
        f"""CREATE TABLE {dataset} AS SELECT *, {first_day} AS first_day,
        {_date(end) if end else "NULL"} AS last_day, {_date("DOB") if "DOB" in dates else "NULL"}
        AS born FROM (
            SELECT *, CASE WHEN {whose} IS NULL OR upper(trim({whose})) IN ({nobody}) THEN NULL
                ELSE ltrim(translate(trim({whose}), '{FULL_WIDTH}', '0123456789'), '0') END
                AS person,
                upper(regexp_replace(POSTCODE, '\\s', '', 'g')) AS code
            FROM ({" UNION ALL BY NAME ".join(parts)}))
        WHERE {" AND ".join(good)}
        QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY period DESC) = 1"""
    )


def _first_line(path):
    if path.suffix == ".gz":
        return next(rows_of(path))
    with path.open(encoding="utf-8", errors="replace") as file:
        return next(csv.reader(file))


def _date(column):
    iso, british = (f"try_strptime({column}, '{form}')" for form in ("%Y-%m-%d", "%d/%m/%Y"))
    return f"CAST(coalesce({iso}, {british}) AS DATE)"


def age_bands(con, dataset, oldest="65+"):
    return con.execute(
        f"""SELECT CASE WHEN age < 11 THEN '0-11' WHEN age < 25 THEN '11-25'
            WHEN age < 65 THEN '25-65'
            WHEN '{oldest}' = '65+' OR age < 90 THEN '{oldest}' ELSE 'beyond' END AS band,
            count(*), count(DISTINCT person)
        FROM (SELECT datesub('year', born, first_day) AS age, person FROM {dataset}) GROUP BY 1
        ORDER BY min(age)"""
    ).fetchall()


def start_years(con, dataset, districts):
    """Returns (district, 'outside' or None, year) -> records."""
    names = ", ".join(f"'{d}'" for d in districts)
    rows = con.execute(
        f"""SELECT CASE WHEN code IS NULL THEN NULL WHEN left(code, length(code) - 3) IN ({names})
            THEN left(code, length(code) - 3) ELSE 'outside' END AS district, year(first_day),
            count(*)
        FROM {dataset} GROUP BY ALL"""
    ).fetchall()
    return {(d, y): n for d, y, n in rows}


def people_by_ward(con, dataset):
    """Returns (ward, band) -> (people, records) for located postcodes."""
    rows = con.execute(
        f"""SELECT ward, CASE WHEN age < 11 THEN '0-11' WHEN age < 25 THEN '11-25'
            WHEN age < 65 THEN '25-65'
            ELSE '65+' END AS band, count(DISTINCT person), count(*)
        FROM (SELECT ward, datesub('year', born, first_day) AS age, person FROM {dataset} JOIN
        place ON code = unit)
        GROUP BY GROUPING SETS ((ward, band), (ward))"""
    ).fetchall()
    return {(w, b): (p, n) for w, b, p, n in rows}


def contracts(con):
    """Returns district -> (OAEHSGCO, HSSU65PL) records of the costed series; None where there is no
    postcode.
    """
    rows = con.execute(
        """SELECT left(code, length(code) - 3), count(*) FILTER (ELEMENT = 'OAEHSGCO'),
            count(*) FILTER (ELEMENT = 'HSSU65PL') FROM agreements_costed GROUP BY 1"""
    ).fetchall()
    return {d: (a, b) for d, a, b in rows}


def stages(con):
    """Returns stage -> (people, records), and the number of people by exactly which stages they are
    in.
    """
    con.execute(
        """CREATE OR REPLACE VIEW event AS SELECT person, split_part(QSA_GROUP, ' - ', 1) AS stage
        FROM adult_assessments UNION ALL SELECT person, 'AG' FROM agreements_adult
        """
    )
    totals = con.execute(
        "SELECT stage, count(DISTINCT person), count(*) FROM event GROUP BY 1"
    ).fetchall()
    regions = con.execute(
        """SELECT stages, count(*) FROM (
            SELECT person, string_agg(DISTINCT stage, '+' ORDER BY stage) AS stages FROM event
            WHERE stage IN ('CA', 'AS', 'SP', 'AG') GROUP BY 1) GROUP BY 1"""
    ).fetchall()
    return {s: (p, n) for s, p, n in totals}, dict(regions)


def single_contacts(con, categories):
    """Returns how many people are only in CA, how many of these once, and of those: to proceed, <=
    30, <= 7 days.
    """
    con.execute("CREATE OR REPLACE TABLE category (code VARCHAR, category VARCHAR)")
    con.executemany("INSERT INTO category VALUES (?, ?)", list(categories.items()))
    return con.execute(
        """WITH only_contact AS (
            SELECT person, count(*) AS n, any_value(split_part(FORM_OUTCOME, ' - ', 1)) AS code,
                any_value(last_day - first_day) AS days
            FROM adult_assessments WHERE person NOT IN (SELECT person FROM agreements_adult)
            GROUP BY 1 HAVING bool_and(QSA_GROUP = 'CA - Contact Assessment'))
        SELECT count(*), count(*) FILTER (n = 1), count(*) FILTER (n = 1 AND category = 'Proceed'),
            count(*) FILTER (n = 1 AND days <= 30), count(*) FILTER (n = 1 AND days <= 7)
        FROM only_contact JOIN category USING (code)"""
    ).fetchone()


def combinations(con):
    """Returns (reason, outcome) -> (people, records, first use, last use)."""
    rows = con.execute(
        """SELECT regexp_extract(ASSESSMENT_REASON, '^([A-Z0-9_]+) [-\u2013] ', 1),
            regexp_extract(FORM_OUTCOME, '^([A-Z0-9_]+) [-\u2013] ', 1), count(DISTINCT person),
            count(*), CAST(min(first_day) AS VARCHAR), CAST(max(last_day) AS VARCHAR)
        FROM children_assessments GROUP BY 1, 2
        """
    ).fetchall()
    return {(r, o): tuple(rest) for r, o, *rest in rows}


def children_people(con, reasons=None):
    """Returns distinct people and records, of all or of some reasons."""
    chosen = (
        "TRUE"
        if reasons is None
        else "regexp_extract(ASSESSMENT_REASON, '^([A-Z0-9_]+)', 1) IN " + str((*reasons, ""))
    )
    return con.execute(
        f"SELECT count(DISTINCT person), count(*) FROM children_assessments WHERE {chosen}"
    ).fetchone()


def snapshots(con):
    """Returns snapshot -> (records, distinct descriptions, descriptions used once)."""
    rows = con.execute(
        """SELECT period, sum(n), count(*), count(*) FILTER (n = 1) FROM (SELECT period,
        SERVICE_DESCRIPTION, count(*) AS n FROM requests GROUP BY ALL) GROUP BY 1
        """
    ).fetchall()
    return {s: (int(n), d, once) for s, n, d, once in rows}


def top_requests(con, number=30):
    """Returns (snapshot, rank) -> (description, records)."""
    rows = con.execute(
        f"""SELECT period, SERVICE_DESCRIPTION, n,
            row_number() OVER (PARTITION BY period ORDER BY n DESC, SERVICE_DESCRIPTION) AS place
        FROM (SELECT period, SERVICE_DESCRIPTION, count(*) AS n FROM requests GROUP BY ALL)
        QUALIFY place <= {number}"""
    ).fetchall()
    return {(s, r): (d, n) for s, d, n, r in rows}


def records_of_services(con):
    """Makes the view `met`: service, scheme, person, code and first day of records that count."""
    parts = [
        ("social_care", "PERID", "adult_assessments", "TRUE"),
        ("social_care", "PERID", "agreements_adult", "TRUE"),
        ("social_care", "PERID", "children_assessments", "TRUE"),
        ("crm", "PERID", "requests", "period = (SELECT max(period) FROM requests)"),
        ("housing", "TENANT_ID", "tenancies", "TRUE"),
    ]
    con.execute(
        "CREATE OR REPLACE VIEW met AS "
        + " UNION ALL ".join(
            f"""SELECT '{service}' AS service, '{scheme}' AS scheme, person, code, first_day
            FROM {dataset} WHERE {which}"""
            for service, scheme, dataset, which in parts
        )
    )


def known_to(con):
    """Returns services joined by '+' -> (people, records), people one where the newest crosswalk
    joins them.
    """
    records_of_services(con)
    leader = {}

    def lead(one):
        while one in leader:
            one = leader[one]
        return one

    for person, tenant in con.execute(
        """SELECT person, TENANT_ID FROM crosswalk_tenants
        WHERE period = (SELECT max(period) FROM crosswalk_tenants)"""
    ).fetchall():
        a, b = lead(("PERID", person)), lead(("TENANT_ID", tenant))
        if a != b:
            leader[b] = a
    known = {}
    for service, scheme, person, number in con.execute(
        "SELECT service, scheme, person, count(*) FROM met WHERE person IS NOT NULL GROUP BY ALL"
    ).fetchall():
        services, records = known.setdefault(lead((scheme, person)), (set(), []))
        services.add(service)
        records.append(number)
    found = {}
    for services, records in known.values():
        name = "+".join(s for s in ("social_care", "crm", "housing") if s in services)
        people, total = found.get(name, (0, 0))
        found[name] = (people + 1, total + sum(records))
    return found


def unlinkable(con):
    """Returns (service, reason) -> records; places outside the city and unknown ones together."""
    records_of_services(con)
    rows = con.execute(
        """SELECT service, count(*) FILTER (person IS NULL), count(*) FILTER (scheme = 'TENANT_ID'
                AND person NOT IN (SELECT TENANT_ID FROM crosswalk_tenants
                    WHERE period = (SELECT max(period) FROM crosswalk_tenants))),
            count(*) FILTER (code IS NULL), count(*) FILTER (code IS NOT NULL AND ward IS NULL)
        FROM met LEFT JOIN place ON code = unit GROUP BY 1"""
    ).fetchall()
    reasons = ("no_person", "not_in_crosswalk", "no_postcode", "not_located")
    return {(s, r): n for s, *counts in rows for r, n in zip(reasons, counts, strict=True) if n}


def services_by_ward(con):
    """Returns (service, ward, year) -> records."""
    records_of_services(con)
    rows = con.execute(
        """SELECT service, ward, year(first_day), count(*) FROM met JOIN place ON code = unit
        GROUP BY ALL"""
    ).fetchall()
    return {(s, w, y): n for s, w, y, n in rows}
