-- Records of all services: service, identifier, postcode, day, category.

CREATE VIEW services AS
SELECT s.key::INTEGER AS place, s.value ->> 'name' AS service,
    (s.value ->> 'categories')::BIGINT AS categories, r.value ->> 'dataset' AS dataset
FROM members('analyses/cross_service', '$.services') AS s, json_each(s.value, '$.records') AS r;

CREATE VIEW layers AS SELECT unnest(listed('analyses/cross_service', '$.layers')) AS layer;

-- Identifiers include their scheme, so equal tokens of two schemes are two people.
CREATE VIEW links AS
SELECT 'carefirst ' || person AS a, 'tenant ' || tenant AS b FROM restricted.crosswalk_tenants
WHERE snapshot = (SELECT max(snapshot) FROM restricted.crosswalk_tenants);

-- A person is all identifiers that pairs join, directly or through others.
CREATE TABLE linked AS
WITH RECURSIVE edges AS (SELECT a, b FROM links UNION SELECT b, a FROM links),
reached AS (
    SELECT a AS identifier, a AS other FROM edges
    UNION
    SELECT r.identifier, e.b FROM reached AS r JOIN edges AS e ON e.a = r.other
)
SELECT identifier, min(other) AS person FROM reached GROUP BY ALL;

CREATE TABLE places AS
SELECT postcode, bool_and(rule = 'unlocated') AS unlocated, count(code) > 0 AS in_an_area
FROM reference.postcode_areas WHERE layer IN (FROM layers) GROUP BY ALL;

CREATE TABLE known AS
WITH records AS (
    SELECT 'adult_assessments' AS dataset, 'carefirst ' || person AS identifier, postcode,
        assessment_start AS day, qsa_group AS category
    FROM restricted.adult_assessments
    UNION ALL
    SELECT 'children_assessments', 'carefirst ' || person, postcode, assessment_start, qsa_group
    FROM restricted.children_assessments
    UNION ALL
    SELECT 'agreements_adult', 'carefirst ' || person, postcode, agreement_start,
        service_description
    FROM restricted.agreements_adult
    UNION ALL
    SELECT 'requests', 'carefirst ' || person, postcode, request_date, service_description
    FROM restricted.requests WHERE snapshot = (SELECT max(snapshot) FROM restricted.requests)
    UNION ALL
    SELECT 'tenancies', 'tenant ' || person, postcode, tenancy_start, tenure
    FROM restricted.tenancies
)
SELECT service, coalesce(person, identifier) AS person, postcode, day, category,
    CASE
        WHEN identifier IS NULL THEN 'no_person'
        WHEN person IS NULL AND NOT starts_with(identifier, 'carefirst ') THEN 'not_in_crosswalk'
    END AS unlinked,
    CASE
        WHEN postcode IS NULL THEN 'no_postcode'
        WHEN coalesce(unlocated, true) THEN 'unlocated'
        WHEN NOT in_an_area THEN 'outside_city'
    END AS unplaced
FROM records JOIN services USING (dataset) LEFT JOIN linked USING (identifier)
LEFT JOIN places USING (postcode);

-- Each person with their services in the order of the configuration, and the postcode of the newest record with a
-- place; of several on one day the last postcode by text.
CREATE TABLE people AS
SELECT person, array_to_string(list_filter(
        (SELECT list(service ORDER BY place) FROM (SELECT DISTINCT service, place FROM services)),
        lambda service: list_contains(known_by, service)
    ), '+') AS services, records, home
FROM (
    SELECT person, list(DISTINCT service) AS known_by, count(*) AS records,
        max_by(postcode, (coalesce(day, DATE '0001-01-01'), postcode)) FILTER (unplaced IS NULL)
            AS home
    FROM known WHERE person IS NOT NULL GROUP BY ALL
);
