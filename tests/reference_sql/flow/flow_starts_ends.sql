SELECT 'adult_assessment' AS flow, kind, activity, count(*) AS people, count(*) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM (
    SELECT 'start' AS kind, steps[1] AS activity FROM ways
    UNION ALL SELECT 'end', steps[-1] FROM ways
)
GROUP BY ALL;
