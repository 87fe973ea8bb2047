WITH counted AS (
    SELECT element_group, year, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost_of_days(weekly_cost, days_open(start, finish, first, last))) AS cost,
        sum(weekly_cost) AS weekly_cost
    FROM used JOIN programmes USING (element) JOIN years ON start <= last AND finish >= first
    WHERE year IS NOT NULL
    GROUP BY ALL
),
every AS (
    SELECT element_group, year, coalesce(people, 0) AS people, coalesce(records, 0) AS records,
        cost, coalesce(weekly_cost, 0) AS weekly_cost
    FROM (SELECT key AS element_group FROM members('analyses/use', '$.programmes'))
    CROSS JOIN years LEFT JOIN counted USING (element_group, year)
    WHERE year IS NOT NULL
)
SELECT *, people / nullif(sum(people) OVER whole, 0) AS share_people,
    records / nullif(sum(records) OVER whole, 0) AS share_records,
    weekly_cost / nullif(sum(weekly_cost) OVER whole, 0) AS share_cost
FROM every WINDOW whole AS (PARTITION BY element_group);
