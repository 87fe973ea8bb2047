-- History of every forecast series, and the forecast quarters after it.
WITH settings AS (
    SELECT setting('analyses/forecast', '$.horizon')::INTEGER AS horizon,
        -- There are three years to learn from, and the horizon to be tried on, in any case.
        greatest(
            setting('analyses/forecast', '$.shortest')::INTEGER,
            12 + setting('analyses/forecast', '$.horizon')::INTEGER
        ) AS shortest,
        setting('analyses/forecast', '$.least_people')::INTEGER AS least_people
),
newest AS (
    SELECT snapshot, person, service_description AS counted, request_date AS day
    FROM restricted.requests
    WHERE snapshot = (SELECT max(snapshot) FROM restricted.requests)
        AND service_description IS NOT NULL
),
-- Quarters from the first to the last whole one.
reach AS (
    SELECT 'elements' AS source,
        quarter_start(setting('analyses/use', '$.quarters.first')) AS first,
        least(
            max(extract),
            last_day(quarter_start(setting('analyses/use', '$.quarters.last')) + INTERVAL 2 MONTH)
        ) AS last
    FROM restricted.agreements_costed
    UNION ALL SELECT 'requests', min(day), max(snapshot) FROM newest
),
whole AS (
    SELECT source, first, last_day(first + INTERVAL 2 MONTH) AS last
    FROM (
        SELECT source, reach.last AS until, unnest(generate_series(
                date_trunc('quarter', first + INTERVAL 3 MONTH - INTERVAL 1 DAY),
                reach.last, INTERVAL 3 MONTH
            ))::DATE AS first
        FROM reach
    )
    WHERE last_day(first + INTERVAL 2 MONTH) <= until
),
-- Last complete day of each source.
completed AS (
    SELECT 'elements' AS source,
        (max(extract) + 1 - to_months(
            coalesce(setting('analyses/forecast', '$.incomplete_months.agreements_costed'), '0')::INTEGER
        ))::DATE - 1 AS until
    FROM restricted.agreements_costed
    UNION ALL SELECT 'requests', max(snapshot) FROM newest
),
chosen AS (
    SELECT 'elements' AS source, element AS counted, measure
    FROM (SELECT unnest(listed('analyses/forecast', '$.elements')) AS element)
    CROSS JOIN (VALUES ('people'), ('cost')) AS measures(measure)
    WHERE list_contains(listed('analyses/use', '$.quarters.elements'), element)
    UNION ALL
    SELECT 'requests', counted, 'records' FROM newest GROUP BY counted
    QUALIFY row_number() OVER (ORDER BY count(*) DESC, counted)
            <= setting('analyses/forecast', '$.requests.top')::INTEGER
        OR list_contains(listed('analyses/forecast', '$.requests.descriptions'), counted)
),
cells AS (
    SELECT 'elements' AS source, element AS counted, first, count(DISTINCT person) AS people,
        count(*) AS records, 0 AS nobodys,
        sum(cost_of_days(weekly_cost, days_open(start, finish, first, last))) AS cost
    FROM agreements JOIN whole ON source = 'elements' AND start <= last AND finish >= first
    WHERE dataset = setting('analyses/forecast', '$.agreements') AND finish >= start
    GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'requests' AS source, counted, date_trunc('quarter', day)::DATE AS first,
        count(DISTINCT person) AS people, count(*) AS records,
        count(*) FILTER (person IS NULL) AS nobodys
    FROM newest GROUP BY ALL
),
series AS (
    SELECT counted || ', ' || measure AS series, first, last_day(first + INTERVAL 2 MONTH) <= until AS complete, coalesce(people, 0) AS people,
        coalesce(records, 0) AS records, cost, coalesce(nobodys, 0) AS nobodys,
        coalesce(CASE measure
            WHEN 'people' THEN people WHEN 'cost' THEN cost::DOUBLE ELSE records
        END, 0) AS actual,
        min(first) OVER (PARTITION BY source) AS first_whole,
        min(CASE WHEN records > 0 THEN first END) OVER (PARTITION BY source, counted, measure)
            AS first_counted
    FROM chosen JOIN whole USING (source) JOIN completed USING (source)
    LEFT JOIN cells USING (source, counted, first)
),
-- A series starts with its first whole quarter. A series of few people is left out.
past AS (
    FROM series
    WHERE first > first_counted OR first_counted = first_whole
    QUALIFY avg(people + nobodys) OVER (PARTITION BY series) >= (SELECT least_people FROM settings)
        AND bool_or(actual <> 0) OVER (PARTITION BY series)
),
ahead AS (
    SELECT series, unnest(generate_series(
            max(first) + INTERVAL 3 MONTH, max(first) + INTERVAL 3 MONTH * any_value(horizon),
            INTERVAL 3 MONTH
        ))::DATE AS first
    FROM past, settings GROUP BY series HAVING count_if(complete) >= any_value(shortest)
)
SELECT series, quarter_of(first) AS period, actual, complete, people, records, cost FROM past
UNION ALL BY NAME
SELECT series, quarter_of(first) AS period FROM ahead;
