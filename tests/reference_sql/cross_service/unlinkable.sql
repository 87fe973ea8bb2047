SELECT service, reason, count(DISTINCT person) AS people, count(*) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM (SELECT service, person, unnest([unlinked, unplaced]) AS reason FROM known)
WHERE reason IS NOT NULL GROUP BY ALL;
