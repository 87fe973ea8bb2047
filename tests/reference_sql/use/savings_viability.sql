WITH targets AS (
    SELECT p.key AS element_group, t.key AS year,
        ((t.value ->> '$')::DECIMAL(20, 8) * 1000000)::DECIMAL(20, 2) AS target,
        (t.value ->> '$')::DOUBLE / (p.value ->> '$.savings.net_spend')::DOUBLE
            AS reduction_needed,
        make_date((p.value ->> '$.savings.base_year')[:4]::INTEGER, 4, 1) AS first
    FROM members('analyses/use', '$.programmes') AS p,
        json_each(p.value, '$.savings.targets') AS t
),
bases AS (
    SELECT element_group, first, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost_of_days(
            weekly_cost, days_open(start, finish, first, (first + INTERVAL 1 YEAR)::DATE - 1)
        )) AS cost
    FROM used JOIN programmes USING (element)
    JOIN (SELECT DISTINCT element_group, first FROM targets) USING (element_group)
    WHERE start < first + INTERVAL 1 YEAR AND finish >= first
    GROUP BY ALL
)
SELECT element_group, year, target, reduction_needed, coalesce(people, 0) AS people,
    coalesce(records, 0) AS records, cost
FROM targets LEFT JOIN bases USING (element_group, first);
