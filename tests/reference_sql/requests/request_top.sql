WITH ranked AS (
    SELECT *, dense_rank() OVER (ORDER BY snapshot) AS place,
        row_number() OVER (PARTITION BY snapshot ORDER BY records DESC, description) AS rank
    FROM described
)
SELECT r.snapshot, r.description, r.rank, before.rank - r.rank AS rank_change,
    CASE WHEN r.place > 1 THEN r.records - coalesce(before.records, 0) END AS records_change,
    r.people, r.records, r.cost
FROM ranked AS r
LEFT JOIN ranked AS before
    ON before.place = r.place - 1 AND before.description = r.description
WHERE r.rank <= setting('analyses/requests', '$.top')::BIGINT;
