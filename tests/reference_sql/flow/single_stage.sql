WITH single AS (SELECT setting('flows/adult_assessment', '$.single_stage.stage') AS stage),
only_there AS (
    SELECT person, sum(records) AS assessments FROM visits
    GROUP BY person HAVING bool_and(stage = (FROM single))
),
once AS (
    SELECT person, assessment_end - assessment_start AS length_days,
        outcome_category, postcode
    FROM only_there
    JOIN restricted.adult_assessments AS a USING (person)
    JOIN stage_texts USING (qsa_group)
    JOIN outcomes AS o ON o.form_outcome IS NOT DISTINCT FROM a.form_outcome
    WHERE assessments = 1 AND stage = (FROM single)
),
homes AS (
    SELECT postcode, code FROM reference.postcode_areas
    WHERE layer = setting('flows/adult_assessment', '$.single_stage.layer')
),
seen AS (
    SELECT 'assessments' AS measure, assessments::VARCHAR AS value, NULL AS outcome_category,
        person, assessments AS records
    FROM only_there
    UNION ALL SELECT 'length_days', length_days::VARCHAR, NULL, person, 1 FROM once
    UNION ALL SELECT 'outcome_category', outcome_category, NULL, person, 1 FROM once
    UNION ALL SELECT setting('flows/adult_assessment', '$.single_stage.layer'), code,
        outcome_category, person, 1
    FROM once LEFT JOIN homes USING (postcode)
)
SELECT 'adult_assessment' AS flow, (FROM single) AS stage, measure, value, outcome_category,
    count(DISTINCT person) AS people, sum(records) AS records, NULL::DECIMAL(20, 2) AS cost
FROM seen GROUP BY ALL;
