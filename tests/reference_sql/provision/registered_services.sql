SELECT year, age_band, service, count(DISTINCT person) AS people, count(*) AS records,
    sum(cost) AS cost
FROM service_records WHERE reason IS NULL
GROUP BY GROUPING SETS ((year, age_band, service), (year, service));
