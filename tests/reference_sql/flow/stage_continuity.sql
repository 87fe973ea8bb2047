WITH pairs AS (
    SELECT s.stage, p.stage AS previous FROM stages AS s JOIN stages AS p ON p.place = s.place - 1
),
either AS (
    SELECT p.stage, p.previous, v.person,
        coalesce(sum(v.records) FILTER (v.stage = p.stage), 0) AS here,
        count(*) FILTER (v.stage = p.previous) AS before
    FROM pairs AS p JOIN visits AS v ON v.stage IN (p.stage, p.previous)
    GROUP BY ALL
)
SELECT 'adult_assessment' AS flow, stage, previous,
    count(*) FILTER (before = 0) AS people_without_previous, count(*) AS people_either,
    people_without_previous / people_either AS share, people_without_previous AS people,
    coalesce(sum(here) FILTER (before = 0), 0) AS records, NULL::DECIMAL(20, 2) AS cost
FROM either GROUP BY ALL;
