WITH counted AS (
    SELECT district, element, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost) AS cost
    FROM compared SEMI JOIN city USING (district)
    WHERE year BETWEEN setting('analyses/elements', '$.concentration.first_year')::INTEGER
        AND setting('analyses/elements', '$.concentration.last_year')::INTEGER
    GROUP BY ALL
),
shares AS (
    SELECT *, records / sum(records) OVER (PARTITION BY district) AS share,
        sum(records) OVER (PARTITION BY element) / sum(records) OVER () AS everywhere
    FROM counted
)
SELECT district, element, share, share / everywhere AS location_quotient, people, records, cost
FROM shares
WHERE element IN (SELECT unnest(listed('analyses/elements', '$.concentration.elements')));
