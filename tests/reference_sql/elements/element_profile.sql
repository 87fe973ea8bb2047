WITH wanted AS (
    SELECT DISTINCT unnest([value ->> 'a', value ->> 'b']) AS element
    FROM members('analyses/elements', '$.comparisons')
),
profiled AS (
    SELECT element, person, cost, unnest([
            {characteristic: 'ethnicity', value: ethnicity},
            {characteristic: 'gender', value: gender},
            {characteristic: 'client_group', value: client_group},
            {
                characteristic: 'age_band',
                value: age_band(setting('analyses/elements', '$.age_bands'), age)
            }
        ], recursive := true)
    FROM compared SEMI JOIN wanted USING (element)
)
SELECT element, characteristic, value, count(DISTINCT person) AS people, count(*) AS records,
    sum(cost) AS cost
FROM profiled
WHERE characteristic = 'age_band'
    OR characteristic IN (SELECT unnest(listed('analyses/elements', '$.characteristics')))
GROUP BY ALL;
