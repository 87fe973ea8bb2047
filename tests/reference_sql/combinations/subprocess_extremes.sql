WITH ranked AS (
    SELECT *, 'most' AS kind, row_number() OVER (
            PARTITION BY subprocess ORDER BY people DESC, reason, outcome
        ) AS rank
    FROM counted
    UNION ALL BY NAME
    SELECT *, 'least' AS kind, row_number() OVER (
            PARTITION BY subprocess ORDER BY people, reason, outcome
        ) AS rank
    FROM counted
)
SELECT subprocess, kind, rank, reason, outcome, people, records, cost
FROM ranked WHERE rank <= setting('analyses/combinations', '$.extremes')::BIGINT;
