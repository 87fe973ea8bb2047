WITH banded AS (
    SELECT postcode, age_band(setting('analyses/density', '$.age_bands'), age) AS age_band,
        person, cost
    FROM density_records WHERE reason IS NULL
),
counted AS (
    SELECT layer, code, age_band, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost) AS cost
    FROM banded JOIN placed USING (postcode)
    WHERE code IS NOT NULL AND layer IN (FROM density_layers)
    GROUP BY GROUPING SETS ((layer, code, age_band), (layer, code))
),
bands AS (  -- those of the configuration, all ages, and `unknown` where somebody's is
    SELECT label AS age_band FROM age_bands
    WHERE set_name = setting('analyses/density', '$.age_bands')
    UNION SELECT NULL
    UNION SELECT age_band FROM counted
),
inhabitants AS (  -- of one year, or of the newest that an area has
    SELECT layer, code, age_band, max_by(population, year) AS population
    FROM reference.population
    WHERE year = coalesce(setting('analyses/density', '$.population_year')::INTEGER, year)
    GROUP BY ALL
)
SELECT a.layer, a.code, b.age_band, area_km2, coalesce(people, 0) / area_km2 AS people_per_km2,
    coalesce(people, 0) * 1000 / nullif(population, 0) AS people_per_1000,
    coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
FROM reference.areas AS a
CROSS JOIN bands AS b
LEFT JOIN counted AS c
    ON c.layer = a.layer AND c.code = a.code AND c.age_band IS NOT DISTINCT FROM b.age_band
LEFT JOIN inhabitants AS i
    ON i.layer = a.layer AND i.code = a.code AND i.age_band IS NOT DISTINCT FROM b.age_band
WHERE a.layer IN (FROM density_layers);
