WITH follows AS (
    SELECT person, unnest(list_zip(steps[:-2], steps[2:], days[:-2], days[2:])) AS step FROM ways
),
waited AS (
    SELECT person, step[1] AS from_activity, step[2] AS to_activity, step[4] - step[3] AS waited
    FROM follows
)
SELECT 'adult_assessment' AS flow, from_activity, to_activity, count(*) AS transitions,
    quantile_cont(waited, 0.5) AS median_days, quantile_cont(waited, 0.9) AS p90_days,
    'days' AS unit, median_days AS median, p90_days AS p90,
    count(DISTINCT person) AS people, count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM waited GROUP BY ALL;
