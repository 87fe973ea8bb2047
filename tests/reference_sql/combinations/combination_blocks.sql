-- Starts in the first window and ends in the last window make no block, because the records begin and end there.
WITH turns AS (
    SELECT reason, outcome, turn.kind,
        date_trunc(setting('analyses/combinations', '$.blocks.window'), turn.day)::DATE AS period
    FROM (
        SELECT reason, outcome, unnest([
                {kind: 'start', day: first_used}, {kind: 'end', day: last_used}
            ]) AS turn
        FROM counted
    )
    WHERE turn.day IS NOT NULL
),
together AS (
    SELECT *, count(*) OVER (PARTITION BY kind, period) AS combinations,
        CASE kind WHEN 'start' THEN min(period) OVER () ELSE max(period) OVER () END AS edge
    FROM turns
),
blocks AS (
    SELECT *, dense_rank() OVER (ORDER BY period, kind DESC) AS block
    FROM together
    WHERE period <> edge
        AND combinations >= setting('analyses/combinations', '$.blocks.combinations')::BIGINT
)
SELECT block, kind, period, combinations, count(DISTINCT person) AS people, count(*) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM uses JOIN blocks USING (reason, outcome)
GROUP BY ALL;
