WITH pairs AS (
    SELECT value ->> 'a' AS element_a, value ->> 'b' AS element_b
    FROM members('analyses/elements', '$.comparisons')
),
counted AS (
    SELECT district, element_a, element_b, count(*) FILTER (element = element_a) AS count_a,
        count(*) FILTER (element = element_b) AS count_b, count(DISTINCT person) AS people,
        count(*) AS records, sum(cost) AS cost
    FROM compared JOIN pairs ON element IN (element_a, element_b)
    GROUP BY ALL
)
SELECT district, element_a, element_b, coalesce(count_a, 0) AS count_a,
    coalesce(count_b, 0) AS count_b, coalesce(count_a + count_b, 0) AS total,
    coalesce(count_b - count_a, 0) AS difference,
    row_number() OVER (
        PARTITION BY element_a, element_b ORDER BY coalesce(count_b - count_a, 0), district
    ) AS rank,
    coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
FROM city CROSS JOIN pairs LEFT JOIN counted USING (district, element_a, element_b);
