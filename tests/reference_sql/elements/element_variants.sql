SELECT written AS element, upper(written) IN (SELECT spelling FROM mended) AS mended,
    count(DISTINCT person) AS people, count(*) AS records, sum(cost) AS cost
FROM compared WHERE upper(written) NOT IN (SELECT element FROM vocabulary)
GROUP BY ALL;
