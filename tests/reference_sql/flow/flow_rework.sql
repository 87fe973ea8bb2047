SELECT 'adult_assessment' AS flow, stage AS activity, sum(records - 1) AS repeats,
    count(*) FILTER (records > 1) AS people_repeating, count(*) AS people,
    sum(records) AS records, NULL::DECIMAL(20, 2) AS cost
FROM visits GROUP BY ALL;
