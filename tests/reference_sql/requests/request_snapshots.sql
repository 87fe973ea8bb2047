SELECT snapshot, count(DISTINCT service_description) AS descriptions,
    count(DISTINCT person) AS people, count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM restricted.requests WHERE service_description IS NOT NULL
GROUP BY ALL;
