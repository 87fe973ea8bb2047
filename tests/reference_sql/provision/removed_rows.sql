SELECT analysis, reason, count(DISTINCT person) AS people, count(*) AS records, sum(cost) AS cost
FROM (
    SELECT 'provision_matrix' AS analysis, reason, person, cost FROM matrix_records
    UNION ALL SELECT 'density', reason, person, cost FROM density_records
    UNION ALL SELECT 'density_series', reason, person, cost FROM density_series_records
    UNION ALL SELECT 'element_distribution', reason, person, cost FROM distribution_records
    UNION ALL SELECT 'registered_services', reason, person, cost FROM service_records
    UNION ALL SELECT 'elements_per_person', reason, person, cost FROM element_records
)
WHERE reason IS NOT NULL GROUP BY ALL;
