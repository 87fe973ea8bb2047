-- Records with a reason and an outcome: person, sub-process, descriptions, days.

CREATE VIEW claims AS
SELECT subprocess, upper(trim(split_part(entry, '/', 1))) AS reason,
    nullif(upper(trim(split_part(entry, '/', 2))), '') AS outcome
FROM (
    SELECT key AS subprocess, unnest(from_json(value, '["VARCHAR"]')) AS entry
    FROM members('vocabulary/subprocesses', '$.subprocesses')
);

CREATE TABLE uses AS
WITH pairs AS (  -- there are few, so that texts are taken apart before they meet the records
    SELECT DISTINCT assessment_reason, form_outcome, code_of(assessment_reason) AS reason,
        code_of(form_outcome) AS outcome, description_of(assessment_reason) AS reason_description,
        description_of(form_outcome) AS outcome_description
    FROM (SELECT DISTINCT assessment_reason, form_outcome FROM restricted.children_assessments)
    WHERE assessment_reason IS NOT NULL AND form_outcome IS NOT NULL
),
claimed AS (  -- a claim of the reason with the outcome goes before one of the reason
    SELECT pairs.*, coalesce(single.subprocess, whole.subprocess, 'Unmapped') AS subprocess
    FROM pairs
    LEFT JOIN claims AS single
        ON single.reason = pairs.reason AND single.outcome = pairs.outcome
    LEFT JOIN claims AS whole ON whole.reason = pairs.reason AND whole.outcome IS NULL
)
SELECT subprocess, reason, outcome, reason_description, outcome_description, person,
    assessment_start AS first_day, coalesce(assessment_end, assessment_start) AS last_day
FROM restricted.children_assessments JOIN claimed USING (assessment_reason, form_outcome);

CREATE TABLE counted AS
SELECT subprocess, reason, outcome, count(DISTINCT person) AS people, count(*) AS records,
    NULL::DECIMAL(20, 2) AS cost, min(first_day) AS first_used, max(last_day) AS last_used
FROM uses GROUP BY ALL;
