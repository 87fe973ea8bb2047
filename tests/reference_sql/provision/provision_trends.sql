WITH counted AS (
    SELECT district, count(DISTINCT person) AS people, count(*) AS records, sum(cost) AS cost
    FROM matrix_records WHERE reason IS NULL GROUP BY ALL
),
years AS (
    SELECT c.district, y.year, count(m.district) AS records
    FROM city AS c CROSS JOIN matrix_years AS y
    LEFT JOIN matrix_records AS m
        ON m.district = c.district AND m.year = y.year AND m.reason IS NULL
    GROUP BY ALL
),
slopes AS (  -- Theil-Sen: the median slope between any two years
    SELECT a.district, median((b.records - a.records) / (b.year - a.year)) AS slope
    FROM years AS a JOIN years AS b ON b.district = a.district AND b.year > a.year
    GROUP BY ALL
)
SELECT district, slope, coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
FROM city LEFT JOIN slopes USING (district) LEFT JOIN counted USING (district);
