SELECT 'adult_assessment' AS flow, stage, count(*) AS people, sum(records) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM (
    SELECT person, stage, records FROM visits
    UNION ALL SELECT person, 'assessed', records FROM assessed
)
GROUP BY ALL;
