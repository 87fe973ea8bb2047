-- Functions for the queries of all jobs: settings, days, pounds and codes.
-- docs/definitions.md and docs/tables.md define the tables.
-- The runner creates conf(name, settings): each file of conf/ by name without suffix, as JSON.

-- Settings ---------------------------------------------------------------------------------------

-- Value of a setting, as in setting('analyses/provision', '$.first_year'); null if absent.
CREATE MACRO setting(file, path) AS (SELECT settings ->> path FROM conf WHERE name = file);

-- List of a setting, as texts.
CREATE MACRO listed(file, path) AS (
    SELECT from_json(settings -> path, '["VARCHAR"]') FROM conf WHERE name = file
);

-- Members of a mapping (key, value) or a list (index, value) of a setting.
CREATE MACRO members(file, path) AS TABLE
    SELECT m.key, m.value FROM conf, json_each(conf.settings, path) AS m WHERE conf.name = file;

CREATE VIEW age_bands AS
SELECT s.key AS set_name, b.value ->> 'label' AS label, (b.value ->> 'from')::INTEGER AS low,
    coalesce((b.value ->> 'to')::INTEGER, 1000) AS high
FROM members('vocabulary/age_bands', '$') AS s, json_each(s.value) AS b;

-- Band of an age in a set. Bands are half-open.
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

-- Days of an agreement within a period, including the first and the last day.
CREATE MACRO days_open(start, finish, first, last) AS
    greatest(date_diff('day', greatest(start, first), least(finish, last)) + 1, 0);

-- Weekly cost / 7 x days, rounded to the penny. A seventh of a whole number of pennies never ends in exactly half a
-- penny, so DOUBLE rounds as exact arithmetic does.
CREATE MACRO cost_of_days(weekly_cost, days) AS
    (round(weekly_cost * 100 * days / 7) / 100)::DECIMAL(20, 2);

CREATE MACRO quarter_of(day) AS year(day) || 'Q' || quarter(day);

-- First day of a quarter such as '2010Q1'.
CREATE MACRO quarter_start(label) AS
    make_date(label[:4]::INTEGER, label[6:]::INTEGER * 3 - 2, 1);

-- Codes ------------------------------------------------------------------------------------------

CREATE MACRO trimmed(text) AS trim(text, ' ' || chr(9) || chr(10) || chr(13) || chr(160));

-- Text with every kind of dash replaced by a hyphen.
CREATE MACRO hyphened(text) AS translate(text, '‐‑‒–—―−', '-------');

CREATE MACRO before_dash(text) AS trimmed(split_part(hyphened(text), '-', 1));

-- Code of a text: ER34 for 'ER34 - Referral Form (Oct 12 - Feb 15)'.
CREATE MACRO code_of(text) AS upper(nullif(
    CASE WHEN before_dash(text) = '' THEN trimmed(text) ELSE before_dash(text) END, ''
));

-- Text after the first dash.
CREATE MACRO description_of(text) AS CASE WHEN before_dash(text) <> '' THEN nullif(
    trimmed(substr(text, nullif(strpos(hyphened(text), '-'), 0) + 1)), ''
) END;

-- Records ----------------------------------------------------------------------------------------

-- Agreements of all datasets. An open agreement runs to the day of the newest extract of its dataset.
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
