-- An agreement counts in each year in which it is open, and once in all years together.
WITH regions AS (
    SELECT r.key AS region, (r.value ->> 'population')::BIGINT AS population,
        unnest(from_json(r.value -> 'districts', '["VARCHAR"]')) AS district
    FROM members('analyses/elements', '$.regions.of') AS r
),
located AS (
    SELECT row_number() OVER () AS record, region, person,
        age_band(setting('analyses/elements', '$.age_bands'), age) AS age_band,
        coalesce(ethnicity, 'not recorded') AS ethnicity, weekly_cost, start, finish
    FROM compared JOIN (SELECT DISTINCT region, district FROM regions) USING (district)
),
limits AS (
    SELECT coalesce(setting('analyses/elements', '$.regions.first_year')::INTEGER,
            min(year(start))) AS first_year,
        coalesce(setting('analyses/elements', '$.regions.last_year')::INTEGER,
            max(year(finish))) AS last_year
    FROM compared WHERE start <= finish
),
-- The total of all years is a period of its own. Its cost is rounded once.
periods AS (
    SELECT year::INTEGER AS year, make_date(year, 1, 1) AS first_day,
        make_date(year, 12, 31) AS last_day
    FROM (SELECT unnest(range(first_year, last_year + 1)) AS year FROM limits)
    UNION ALL
    SELECT NULL, make_date(first_year, 1, 1), make_date(last_year, 12, 31) FROM limits
),
within AS (
    SELECT region, year, age_band, ethnicity, person, record,
        cost_of_days(weekly_cost, days_open(start, finish, first_day, last_day)) AS cost
    FROM located JOIN periods ON start <= last_day AND finish >= first_day
    WHERE start <= finish
),
counted AS (
    SELECT region, year, age_band, ethnicity, count(DISTINCT person) AS people,
        count(DISTINCT record) AS records, sum(cost) AS cost
    FROM within GROUP BY region, year, CUBE (age_band, ethnicity)
)
SELECT counted.*, population, people * 1000 / population AS per_1000
FROM counted JOIN (SELECT DISTINCT region, population FROM regions) USING (region);
