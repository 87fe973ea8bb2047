WITH counted AS (
    SELECT element, quarter, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost_of_days(weekly_cost, days_open(start, finish, first, last))) AS cost
    FROM used JOIN quarters ON start <= last AND finish >= first
    WHERE element IN (FROM followed)
    GROUP BY ALL
),
every AS (
    SELECT element, quarter, coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
    FROM followed CROSS JOIN quarters LEFT JOIN counted USING (element, quarter)
)
SELECT *, people / nullif(lag(people) OVER (PARTITION BY element ORDER BY quarter), 0) - 1 AS change
FROM every;
