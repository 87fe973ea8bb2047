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
yearly AS (
    SELECT *, cost_of_days(
            weekly_cost, days_open(start, finish, make_date(year, 1, 1), make_date(year, 12, 31))
        ) AS cost
    FROM (SELECT *, unnest(range(year(start), year(finish) + 1))::INTEGER AS year FROM located)
    WHERE start <= finish
        AND year >= coalesce(setting('analyses/elements', '$.regions.first_year')::INTEGER, year)
        AND year <= coalesce(setting('analyses/elements', '$.regions.last_year')::INTEGER, year)
),
counted AS (
    SELECT region, year, age_band, ethnicity, count(DISTINCT person) AS people,
        count(DISTINCT record) AS records, sum(cost) AS cost
    FROM yearly GROUP BY region, CUBE (year, age_band, ethnicity)
)
SELECT counted.*, population, people * 1000 / population AS per_1000
FROM counted JOIN (SELECT DISTINCT region, population FROM regions) USING (region);
