WITH spelled AS (
    SELECT subprocess, reason, outcome, reason_description, outcome_description, count(*) AS n
    FROM uses GROUP BY ALL
),
usual AS (
    FROM spelled
    QUALIFY row_number() OVER (
        PARTITION BY subprocess, reason, outcome
        ORDER BY n DESC, reason_description NULLS FIRST, outcome_description NULLS FIRST
    ) = 1
)
SELECT counted.*, reason_description, outcome_description
FROM counted JOIN usual USING (subprocess, reason, outcome);
