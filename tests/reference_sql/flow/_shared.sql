-- Events of the adult assessment: person, stage, day.

CREATE VIEW stages AS
SELECT key::INTEGER AS place, value ->> 'code' AS stage, value ->> '$.records.dataset' AS dataset,
    from_json(value -> '$.records.codes', '["VARCHAR"]') AS codes
FROM members('flows/adult_assessment', '$.stages');

-- Texts of assessments with the code of a stage.
CREATE TABLE stage_texts AS
SELECT qsa_group, stage, place
FROM (SELECT DISTINCT qsa_group FROM restricted.adult_assessments)
JOIN stages ON dataset = 'adult_assessments' AND list_contains(codes, code_of(qsa_group));

CREATE TABLE events AS
SELECT person, stage, place, assessment_start AS day
FROM restricted.adult_assessments JOIN stage_texts USING (qsa_group)
WHERE person IS NOT NULL AND day IS NOT NULL
UNION ALL
SELECT person, stage, place, agreement_start AS day
FROM restricted.agreements_adult JOIN stages ON dataset = 'agreements_adult'
WHERE person IS NOT NULL AND day IS NOT NULL;

-- Number of records of each person in each stage.
CREATE TABLE visits AS
SELECT person, stage, place, count(*) AS records FROM events GROUP BY ALL;

CREATE VIEW assessed AS
SELECT person, count(*) AS records FROM restricted.adult_assessments
WHERE person IS NOT NULL GROUP BY ALL;

-- Stages of each person in the order of days; stages of one day in the declared order.
CREATE TABLE ways AS
SELECT person, list(stage ORDER BY day, place) AS steps, list(day ORDER BY day, place) AS days
FROM events GROUP BY person;

-- Category of each text of an outcome.
CREATE TABLE outcomes AS
SELECT form_outcome, coalesce(outcome_category, 'Unknown') AS outcome_category
FROM (SELECT DISTINCT form_outcome FROM restricted.adult_assessments)
LEFT JOIN outcome_categories ON outcome = code_of(form_outcome);
