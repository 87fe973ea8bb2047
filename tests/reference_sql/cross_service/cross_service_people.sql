SELECT services, count(*) AS people, sum(records) AS records, NULL::DECIMAL(20, 2) AS cost
FROM people GROUP BY ALL;
