-- A day beyond the threshold counts once, for the first of the agreements that cover it. Its cost is the sum of the
-- cost of all of them.
WITH settings AS (
    SELECT setting('analyses/use', '$.threshold.weeks')::INTEGER * 7 AS threshold,
        setting('analyses/use', '$.threshold.gap_days')::INTEGER AS gap,
        listed('analyses/use', '$.threshold.elements') AS elements,
        setting('analyses/use', '$.threshold.population_year')::INTEGER AS population_year,
        (
            SELECT (t.value ->> '$')::DOUBLE * 1000000
            FROM members('analyses/use', '$.programmes') AS p,
                json_each(p.value, '$.savings.targets') AS t
            WHERE p.key = setting('analyses/use', '$.threshold.target.programme')
                AND t.key = setting('analyses/use', '$.threshold.target.year')
        ) AS target
),
own AS (
    SELECT used.*, max(finish) OVER (
            PARTITION BY person, element ORDER BY start, finish, district NULLS FIRST
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered
    FROM used, settings WHERE list_contains(elements, element)
),
numbered AS (
    SELECT own.*, count(*) FILTER (covered IS NULL OR start > covered + gap + 1) OVER (
            PARTITION BY person, element ORDER BY start, finish, district NULLS FIRST
            ROWS UNBOUNDED PRECEDING
        ) AS spell
    FROM own, settings
),
spells AS (
    SELECT *, min(start) OVER whole AS spell_start, max(finish) OVER whole AS spell_finish
    FROM numbered WINDOW whole AS (PARTITION BY person, element, spell)
),
with_beyond AS (
    SELECT spells.*, CASE
            WHEN person IS NOT NULL AND spell_finish - spell_start + 1 > threshold
            THEN spell_start + threshold
        END AS beyond
    FROM spells, settings
),
opened AS (
    SELECT element, year, district, person, weekly_cost,
        days_open(start, finish, first, last) AS days,
        CASE WHEN beyond IS NULL THEN 0
            ELSE days_open(greatest(start, beyond), finish, first, last)
        END AS covered_beyond,
        CASE WHEN beyond IS NULL THEN 0
            ELSE days_open(greatest(start, beyond, covered + 1), finish, first, last)
        END AS days_over
    FROM with_beyond JOIN years ON start <= last AND finish >= first
),
counted AS (
    SELECT element, year, district, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost_of_days(weekly_cost, days)) AS cost,
        count(DISTINCT person) FILTER (covered_beyond > 0) AS people_over,
        sum(days_over) AS days_over, sum(cost_of_days(weekly_cost, covered_beyond)) AS cost_over
    FROM opened
    GROUP BY GROUPING SETS (
        (element, year, district), (element, year), (year, district), (year)
    )
    HAVING grouping(district) = 1 OR district IS NOT NULL
),
inhabitants AS (
    SELECT code AS district, max_by(population, year) AS population
    FROM reference.population, settings
    WHERE layer = setting('analyses/use', '$.layer') AND age_band IS NULL
        AND year = coalesce(population_year, year)
    GROUP BY ALL
),
every AS (
    SELECT e.element, y.year, d.district, coalesce(people, 0) AS people,
        coalesce(records, 0) AS records, cost, coalesce(people_over, 0) AS people_over,
        coalesce(days_over, 0) AS days_over, coalesce(cost_over, 0) AS cost_over
    FROM (SELECT unnest(elements) AS element FROM settings UNION SELECT NULL) AS e
    CROSS JOIN years AS y
    CROSS JOIN (FROM city UNION ALL SELECT NULL) AS d
    LEFT JOIN counted AS c
        ON c.element IS NOT DISTINCT FROM e.element AND c.year IS NOT DISTINCT FROM y.year
        AND c.district IS NOT DISTINCT FROM d.district
)
SELECT element, year, district, people_over, people_over / nullif(people, 0) AS share_over,
    days_over / 7 AS weeks_over, cost_over,
    people_over * 1000 / nullif(population, 0) AS per_1000,
    cost_over / CASE WHEN year IS NULL THEN (SELECT count(year) FROM years) ELSE 1 END / target
        AS share_of_target,
    people, records, cost
FROM every LEFT JOIN inhabitants USING (district), settings;
