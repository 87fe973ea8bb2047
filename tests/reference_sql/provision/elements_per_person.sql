WITH persons AS (
    SELECT person, age_band, count(*) AS registered, count(DISTINCT element) AS different,
        sum(cost) AS cost
    FROM element_records WHERE reason IS NULL
    GROUP BY GROUPING SETS ((person, age_band), (person))
),
kinds AS (
    SELECT 'registered' AS kind, registered AS elements, * FROM persons
    UNION ALL SELECT 'distinct', different, * FROM persons
)
SELECT kind, age_band, elements, count(*) AS people, sum(registered) AS records, sum(cost) AS cost
FROM kinds GROUP BY ALL;
