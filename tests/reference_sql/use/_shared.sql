-- Valid agreements, with a district only if it is one of the city's, and the periods of the counts.

CREATE VIEW city AS
SELECT code AS district FROM reference.areas WHERE layer = setting('analyses/use', '$.layer');

CREATE TABLE used AS
SELECT element, person, start, finish, weekly_cost,
    CASE WHEN district IN (FROM city) THEN district END AS district
FROM agreements
WHERE dataset = setting('analyses/use', '$.dataset') AND finish >= start;

-- Calendar years up to the newest extract, and one period of all years (null).
CREATE TABLE years AS
WITH reached AS (
    SELECT unnest(range(
        setting('analyses/use', '$.first_year')::INTEGER,
        setting('analyses/use', '$.last_year')::INTEGER + 1
    ))::INTEGER AS year
),
each AS (
    SELECT year, make_date(year, 1, 1) AS first, make_date(year, 12, 31) AS last FROM reached
    WHERE first <= (SELECT max(extract) FROM restricted.agreements_costed)
)
FROM each UNION ALL SELECT NULL, min(first), max(last) FROM each;

CREATE TABLE quarters AS
SELECT quarter_of(first) AS quarter, first, last_day(first + INTERVAL 2 MONTH) AS last
FROM (
    SELECT unnest(generate_series(
        quarter_start(setting('analyses/use', '$.quarters.first')),
        quarter_start(setting('analyses/use', '$.quarters.last')),
        INTERVAL 3 MONTH
    ))::DATE AS first
)
WHERE first <= (SELECT max(extract) FROM restricted.agreements_costed);

CREATE VIEW followed AS
SELECT unnest(listed('analyses/use', '$.quarters.elements')) AS element;

-- Programme -> elements: those that it names, and those of its services.
CREATE TABLE programmes AS
SELECT p.key AS element_group, unnest(from_json(p.value -> 'elements', '["VARCHAR"]')) AS element
FROM members('analyses/use', '$.programmes') AS p
UNION
SELECT p.key, v.element
FROM members('analyses/use', '$.programmes') AS p
JOIN vocabulary AS v ON list_contains(from_json(p.value -> 'services', '["VARCHAR"]'), v.service);
