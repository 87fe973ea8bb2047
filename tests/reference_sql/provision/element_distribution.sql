WITH counted AS (
    SELECT layer, code, element, year, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost) AS cost
    FROM distribution_records JOIN placed USING (postcode)
    WHERE reason IS NULL AND code IS NOT NULL AND layer IN (FROM distribution_layers)
    GROUP BY ALL
)
SELECT *,
    row_number() OVER (PARTITION BY layer, code, year ORDER BY records DESC, element) AS rank
FROM counted;
