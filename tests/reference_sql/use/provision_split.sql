-- The letter after the client group in an element code is the provider.
WITH providers AS (
    SELECT element, coalesce(label, v.client_group) AS client_group,
        starts_with(after, setting('analyses/use', '$.split.internal')) AS own
    FROM (SELECT *, substr(element, len(client_group) + 1) AS after FROM vocabulary) AS v
    LEFT JOIN (
        SELECT key AS client_group, value ->> '$' AS label
        FROM members('vocabulary/elements', '$.client_groups')
    ) USING (client_group)
    WHERE list_contains(listed('analyses/use', '$.split.services'), service)
        AND list_contains(listed('analyses/use', '$.split.client_groups'), v.client_group)
        AND (own OR starts_with(after, setting('analyses/use', '$.split.external')))
),
opened AS (
    SELECT client_group, district, year, person, own,
        cost_of_days(weekly_cost, days_open(start, finish, first, last)) AS cost
    FROM used JOIN providers USING (element) JOIN years ON start <= last AND finish >= first
),
counted AS (  -- those outside the city are among everybody, and in no district
    SELECT client_group, district, year, count(DISTINCT person) AS people, count(*) AS records,
        sum(cost) AS cost, count(*) FILTER (own) AS internal
    FROM opened
    GROUP BY GROUPING SETS (
        (client_group, district, year), (client_group, year), (district, year), (year)
    )
    HAVING grouping(district) = 1 OR district IS NOT NULL
),
every AS (
    SELECT g.client_group, d.district, y.year, coalesce(people, 0) AS people,
        coalesce(records, 0) AS records, cost, coalesce(internal, 0) AS internal
    FROM (SELECT client_group FROM providers UNION SELECT NULL) AS g
    CROSS JOIN (FROM city UNION ALL SELECT NULL) AS d
    CROSS JOIN years AS y
    LEFT JOIN counted AS c
        ON c.client_group IS NOT DISTINCT FROM g.client_group
        AND c.district IS NOT DISTINCT FROM d.district AND c.year IS NOT DISTINCT FROM y.year
),
expected AS (  -- among the districts of a client group and year
    SELECT *, sum(internal) OVER districts / nullif(sum(records) OVER districts, 0) AS own_share,
        records / nullif(sum(records) OVER districts, 0) AS district_share
    FROM every
    WINDOW districts AS (PARTITION BY client_group, year, district IS NULL)
)
SELECT client_group, district, year, internal, records - internal AS external,
    internal / nullif(records, 0) AS share_internal,
    CASE
        WHEN district IS NOT NULL AND records * least(own_share, 1 - own_share)
            >= setting('analyses/use', '$.split.least_expected')::DOUBLE
        THEN (internal - records * own_share)
            / nullif(sqrt(records * own_share * (1 - own_share) * (1 - district_share)), 0)
    END AS residual,
    people, records, cost
FROM expected;
