WITH categories AS (
    SELECT upper(trimmed(value ->> 'name')) AS team, value ->> 'category' AS team_category
    FROM members('vocabulary/teams', '$')
),
teams AS (
    SELECT service_team, coalesce(team_category, 'Others') AS team_category
    FROM (SELECT DISTINCT service_team FROM restricted.adult_assessments)
    LEFT JOIN categories ON team = upper(trimmed(service_team))
)
SELECT 'adult_assessment' AS flow, outcome_category, team_category,
    count(DISTINCT person) AS people, count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM restricted.adult_assessments AS a
JOIN outcomes AS o ON o.form_outcome IS NOT DISTINCT FROM a.form_outcome
JOIN teams AS t ON t.service_team IS NOT DISTINCT FROM a.service_team
GROUP BY ALL;
