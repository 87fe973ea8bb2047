WITH bands AS (
    SELECT value ->> 'label' AS band, (value ->> 'from')::BIGINT AS low,
        (value ->> 'to')::BIGINT AS high
    FROM members('analyses/combinations', '$.bands')
),
banded AS (
    SELECT reason, outcome, coalesce(band, 'unknown') AS band
    FROM counted LEFT JOIN bands ON people >= low AND (high IS NULL OR people < high)
)
SELECT band, count(DISTINCT (reason, outcome)) AS combinations, count(DISTINCT person) AS people,
    count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM uses JOIN banded USING (reason, outcome)
GROUP BY ALL;
