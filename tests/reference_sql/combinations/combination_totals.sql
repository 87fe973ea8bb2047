SELECT subprocess, reason, count(DISTINCT person) AS people, count(*) AS records,
    NULL::DECIMAL(20, 2) AS cost
FROM uses GROUP BY GROUPING SETS ((subprocess, reason), (subprocess));
