WITH pairs AS (
    SELECT value ->> 0 AS quarter_a, value ->> 1 AS quarter_b
    FROM members('analyses/use', '$.quarters.pairs') WHERE json_type(value) = 'ARRAY'
    UNION ALL
    SELECT a.quarter, b.quarter FROM quarters AS a JOIN quarters AS b ON b.first > a.first
    WHERE setting('analyses/use', '$.quarters.pairs') = 'all'
),
spans AS (
    SELECT *, quarter_start(quarter_a) AS first_a, quarter_start(quarter_b) AS first_b,
        last_day(first_a + INTERVAL 2 MONTH) AS last_a,
        last_day(first_b + INTERVAL 2 MONTH) AS last_b
    FROM pairs WHERE greatest(first_a, first_b) <= (SELECT max(last) FROM quarters)
),
opened AS (
    SELECT element, quarter_a, quarter_b, person, weekly_cost,
        days_open(start, finish, first_a, last_a) AS days_a,
        days_open(start, finish, first_b, last_b) AS days_b
    FROM used CROSS JOIN spans WHERE element IN (FROM followed)
),
either AS (
    SELECT element, quarter_a, quarter_b, person, count(*) AS records,
        bool_or(days_a > 0) AS in_a, bool_or(days_b > 0) AS in_b,
        sum(cost_of_days(weekly_cost, days_a) + cost_of_days(weekly_cost, days_b)) AS cost
    FROM opened WHERE days_a + days_b > 0 GROUP BY ALL
)
SELECT element, quarter_a, quarter_b, count(*) FILTER (in_a) AS people_a,
    count(*) FILTER (in_b) AS people_b, count(*) FILTER (in_a AND in_b) AS people_both,
    count(*) FILTER (in_a AND NOT in_b) AS only_a, count(*) FILTER (in_b AND NOT in_a) AS only_b,
    count(person) AS people, coalesce(sum(records), 0) AS records, sum(cost) AS cost
FROM followed CROSS JOIN spans LEFT JOIN either USING (element, quarter_a, quarter_b)
GROUP BY ALL;
