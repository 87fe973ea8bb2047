WITH counted AS (
    SELECT layer, code, year, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost) AS cost
    FROM density_series_records JOIN placed USING (postcode)
    WHERE reason IS NULL AND code IS NOT NULL AND layer IN (FROM density_layers)
    GROUP BY ALL
),
years AS (
    SELECT unnest(range(
        setting('analyses/density', '$.series.first_year')::INTEGER,
        setting('analyses/density', '$.series.last_year')::INTEGER + 1
    )) AS year
),
inhabitants AS (  -- of one year, or of the nearest, of two as near the earlier
    SELECT layer, code, y.year, min_by(population, (abs(p.year - y.year), p.year)) AS population
    FROM reference.population AS p CROSS JOIN years AS y
    WHERE age_band IS NOT DISTINCT
            FROM nullif(setting('analyses/density', '$.series.age_band'), 'all')
        AND p.year = coalesce(setting('analyses/density', '$.population_year')::INTEGER, p.year)
    GROUP BY ALL
)
SELECT layer, code, year, area_km2, coalesce(people, 0) / area_km2 AS people_per_km2,
    coalesce(people, 0) * 1000 / nullif(population, 0) AS people_per_1000,
    coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
FROM reference.areas CROSS JOIN years
LEFT JOIN counted USING (layer, code, year)
LEFT JOIN inhabitants USING (layer, code, year)
WHERE layer IN (FROM density_layers);
