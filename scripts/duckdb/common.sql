-- What the queries of all jobs have in common: settings, and arithmetic of days, pounds and codes.
-- Definitions: the declarations beside the functions that make the tables (docs/tables.md).
-- The runner has made conf(name, settings): each file of conf/ without its suffix, as JSON.

-- Settings ---------------------------------------------------------------------------------------

-- One value of a file, as setting('analyses/provision', '$.first_year'); null where there is none.
CREATE MACRO setting(file, path) AS (SELECT settings ->> path FROM conf WHERE name = file);

-- A list of a file, as texts.
CREATE MACRO listed(file, path) AS (
    SELECT from_json(settings -> path, '["VARCHAR"]') FROM conf WHERE name = file
);

-- The members of a mapping or a list of a file: key (of a list its place) and value.
CREATE MACRO members(file, path) AS TABLE
    SELECT m.key, m.value FROM conf, json_each(conf.settings, path) AS m WHERE conf.name = file;

CREATE VIEW age_bands AS
SELECT s.key AS set_name, b.value ->> 'label' AS label, (b.value ->> 'from')::INTEGER AS low,
    coalesce((b.value ->> 'to')::INTEGER, 1000) AS high
FROM members('vocabulary/age_bands', '$') AS s, json_each(s.value) AS b;

-- The band of an age in a set; bands are half-open.
CREATE MACRO age_band(bands, age) AS coalesce(
    (SELECT label FROM age_bands WHERE set_name = bands AND low <= age AND age < high), 'unknown'
);

CREATE VIEW vocabulary AS
SELECT upper(value ->> 'code') AS element, value ->> 'service' AS service,
    value ->> 'client_group' AS client_group
FROM members('vocabulary/elements', '$.elements');

CREATE VIEW mended AS
SELECT upper(key) AS spelling, upper(value ->> '$') AS meant
FROM members('vocabulary/elements', '$.mended');

CREATE VIEW outcome_categories AS
SELECT upper(value ->> 'code') AS outcome, value ->> 'category' AS outcome_category
FROM members('vocabulary/outcomes', '$');

-- Days and pounds --------------------------------------------------------------------------------

-- Days of an agreement within a period, first and last days counted.
CREATE MACRO days_open(start, finish, first, last) AS
    greatest(date_diff('day', greatest(start, first), least(finish, last)) + 1, 0);

-- Weekly cost / 7 x days to the penny. A seventh of a whole number of pennies is never half a penny
-- and a fraction, so that a DOUBLE rounds it as exact arithmetic does.
CREATE MACRO cost_of_days(weekly_cost, days) AS
    (round(weekly_cost * 100 * days / 7) / 100)::DECIMAL(20, 2);

CREATE MACRO quarter_of(day) AS year(day) || 'Q' || quarter(day);

-- First day of a quarter, as of '2010Q1'.
CREATE MACRO quarter_start(label) AS
    make_date(label[:4]::INTEGER, label[6:]::INTEGER * 3 - 2, 1);

-- Codes ------------------------------------------------------------------------------------------

CREATE MACRO trimmed(text) AS trim(text, ' ' || chr(9) || chr(10) || chr(13) || chr(160));

-- Every kind of dash as a hyphen.
CREATE MACRO hyphened(text) AS translate(text, '‐‑‒–—―−', '-------');

CREATE MACRO before_dash(text) AS trimmed(split_part(hyphened(text), '-', 1));

-- ER34 of 'ER34 - Referral Form (Oct 12 - Feb 15)'.
CREATE MACRO code_of(text) AS upper(nullif(
    CASE WHEN before_dash(text) = '' THEN trimmed(text) ELSE before_dash(text) END, ''
));

-- What stands after the first dash.
CREATE MACRO description_of(text) AS CASE WHEN before_dash(text) <> '' THEN nullif(
    trimmed(substr(text, nullif(strpos(hyphened(text), '-'), 0) + 1)), ''
) END;

-- Records ----------------------------------------------------------------------------------------

-- Agreements of all kinds. One that is open runs to the day of the newest extract of its dataset.
CREATE VIEW agreements AS
WITH datasets AS (
    SELECT 'agreements_closed' AS dataset, *, max(extract) OVER () AS newest
    FROM restricted.agreements_closed
    UNION ALL BY NAME
    SELECT 'agreements_costed' AS dataset, *, max(extract) OVER () AS newest
    FROM restricted.agreements_costed
    UNION ALL BY NAME
    SELECT 'agreements_adult' AS dataset, *, max(extract) OVER () AS newest
    FROM restricted.agreements_adult
),
spans AS (
    SELECT *, agreement_start AS start, least(agreement_end, newest) AS finish FROM datasets
)
SELECT dataset, person, element AS written, coalesce(meant, upper(trim(element))) AS element,
    upper(trim(service)) AS service, age_at_start AS age, year(start) AS year, start, finish,
    weekly_cost, cost_of_days(weekly_cost, days_open(start, finish, start, finish)) AS cost,
    postcode, split_part(postcode, ' ', 1) AS district, gender, ethnicity, client_group
FROM spans LEFT JOIN mended ON spelling = upper(trim(element));
