-- Requests by snapshot and description, as written.

CREATE TABLE described AS
SELECT snapshot, service_description AS description, count(DISTINCT person) AS people,
    count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM restricted.requests WHERE service_description IS NOT NULL
GROUP BY ALL;
