WITH told AS (  -- a way of more than 40 steps by the first of them and a digest of all
    SELECT person, len(steps) AS events, CASE WHEN len(steps) <= 40
            THEN array_to_string(steps, ' > ')
            ELSE array_to_string(steps[:40], ' > ') || ' > … ' || len(steps) - 40 || ' more, '
                || sha256(array_to_string(steps, ' > '))[:16]
        END AS variant
    FROM ways
),
counted AS (
    SELECT variant, count(*) AS people, sum(events) AS records FROM told GROUP BY ALL
)
SELECT 'adult_assessment' AS flow, variant,
    row_number() OVER (ORDER BY people DESC, variant) AS rank,
    sum(people) OVER (
        ORDER BY people DESC, variant ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) / sum(people) OVER () AS coverage,
    people, records, NULL::DECIMAL(20, 2) AS cost
FROM counted;
