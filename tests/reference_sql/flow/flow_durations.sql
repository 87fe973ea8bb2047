-- Days from the first record in a stage to the first later record in the next stage, or to the last known day.
WITH last AS (
    SELECT max(extract) AS day FROM (
        SELECT extract FROM restricted.adult_assessments
        UNION ALL SELECT extract FROM restricted.agreements_adult
    )
),
known AS (FROM events SEMI JOIN last ON events.day <= last.day),
begun AS (
    SELECT person, stage, place, min(day) AS entered FROM known GROUP BY ALL
),
followed AS (
    SELECT b.person, b.stage || ' > ' || s.stage AS transition, b.entered, min(e.day) AS came
    FROM begun AS b
    JOIN stages AS s ON s.place = b.place + 1
    LEFT JOIN known AS e ON e.person = b.person AND e.stage = s.stage AND e.day >= b.entered
    GROUP BY ALL
),
left_then AS (
    SELECT transition, coalesce(came, last.day) - entered AS days, count(came) AS events,
        count(*) AS people
    FROM followed, last GROUP BY ALL
),
risk AS (
    SELECT *, sum(people) OVER (PARTITION BY transition ORDER BY days DESC) AS at_risk
    FROM left_then
)
SELECT 'adult_assessment' AS flow, transition, days, 'days' AS unit, days AS time, at_risk, events, people - events AS censored,
    1 - product(1 - events / at_risk) OVER (PARTITION BY transition ORDER BY days)
        AS cumulative_incidence,
    people, people AS records, NULL::DECIMAL(20, 2) AS cost
FROM risk;
