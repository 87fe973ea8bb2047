SELECT l.layer, code, services, count(*) AS people, sum(records) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM people CROSS JOIN layers AS l
LEFT JOIN reference.postcode_areas AS a ON a.postcode = home AND a.layer = l.layer
GROUP BY ALL;
