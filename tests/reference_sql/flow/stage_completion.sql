WITH anybody AS (
    SELECT count(*) AS people_any FROM (SELECT person FROM visits UNION SELECT person FROM assessed)
),
passed AS (  -- of each stage a person was in, whether they were in all before it
    SELECT v.person, v.stage, v.records, count(b.stage) = v.place + 1 AS all_stages
    FROM visits AS v JOIN visits AS b ON b.person = v.person AND b.place <= v.place
    GROUP BY v.person, v.stage, v.records, v.place
)
SELECT 'adult_assessment' AS flow, s.stage,
    count(p.person) FILTER (all_stages) AS people_all_stages, people_any,
    people_all_stages / people_any AS share_any,
    people_all_stages / nullif(count(p.person), 0) AS share_last, people_all_stages AS people,
    coalesce(sum(records) FILTER (all_stages), 0) AS records, NULL::DECIMAL(20, 2) AS cost
FROM stages AS s CROSS JOIN anybody LEFT JOIN passed AS p USING (stage)
GROUP BY s.stage, people_any;
