WITH located AS (FROM known WHERE unplaced IS NULL),
ranked AS (
    SELECT service, category,
        row_number() OVER (PARTITION BY service ORDER BY records DESC, category) AS rank
    FROM (
        SELECT service, category, count(*) AS records FROM located
        WHERE category IS NOT NULL GROUP BY ALL
    )
),
told_apart AS (
    SELECT located.* REPLACE (
            CASE WHEN rank > categories THEN '(others)' ELSE category END AS category
        )
    FROM located LEFT JOIN ranked USING (service, category)
    JOIN (SELECT DISTINCT service, categories FROM services) USING (service)
)
SELECT service, layer, code, strftime(day, '%Y-%m') AS month, category,
    count(DISTINCT person) AS people, count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM told_apart JOIN reference.postcode_areas USING (postcode)
WHERE layer IN (FROM layers) AND code IS NOT NULL
GROUP BY ALL;
