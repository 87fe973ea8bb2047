-- Agreements by year of start, with the areas of their postcodes.

CREATE TABLE registered AS
SELECT dataset, person, element, service, age, year, cost, postcode, district FROM agreements;

-- Postcode districts of the city: the configured ones, or those of the layer.
CREATE VIEW city AS
SELECT unnest(listed('analyses/provision', '$.districts')) AS district
UNION
SELECT code FROM reference.areas
WHERE layer = setting('analyses/provision', '$.layer')
    AND coalesce(len(listed('analyses/provision', '$.districts')), 0) = 0;

-- Reason for which the matrix leaves a record out; null if it counts.
CREATE VIEW matrix_records AS
SELECT r.*, CASE
        WHEN postcode IS NULL THEN 'no_postcode'
        WHEN district NOT IN (SELECT district FROM city) THEN 'outside_city'
        WHEN year NOT BETWEEN setting('analyses/provision', '$.first_year')::INTEGER
            AND setting('analyses/provision', '$.last_year')::INTEGER THEN 'outside_years'
    END AS reason
FROM registered AS r WHERE dataset = setting('analyses/provision', '$.dataset');

CREATE VIEW matrix_years AS
SELECT unnest(range(
    setting('analyses/provision', '$.first_year')::INTEGER,
    setting('analyses/provision', '$.last_year')::INTEGER + 1
)) AS year;

CREATE VIEW density_layers AS SELECT key AS layer FROM members('analyses/density', '$.layers');
CREATE VIEW distribution_layers AS
SELECT unnest(listed('analyses/distribution', '$.layers')) AS layer;

-- Postcodes by area of the configured layers.
CREATE TABLE placed AS
SELECT postcode, layer, code, rule FROM reference.postcode_areas
WHERE layer IN (FROM density_layers UNION FROM distribution_layers);

-- Whether a postcode is located, and its areas in the layers of each analysis.
CREATE TABLE postcodes AS
SELECT postcode, bool_or(rule <> 'unlocated') AS located,
    bool_or(code IS NOT NULL AND layer IN (FROM density_layers)) AS in_density,
    bool_or(code IS NOT NULL AND layer IN (FROM distribution_layers)) AS in_distribution
FROM placed GROUP BY postcode;

CREATE VIEW density_records AS
SELECT r.*, CASE
        WHEN postcode IS NULL THEN 'no_postcode'
        WHEN NOT coalesce(located, false) THEN 'unlocated'
        WHEN NOT in_density THEN 'outside_city'
        WHEN year < setting('analyses/density', '$.first_year')::INTEGER
            OR year > setting('analyses/density', '$.last_year')::INTEGER THEN 'outside_years'
    END AS reason
FROM registered AS r LEFT JOIN postcodes USING (postcode)
WHERE dataset = setting('analyses/density', '$.dataset');

CREATE VIEW density_series_records AS
SELECT r.*, CASE
        WHEN postcode IS NULL THEN 'no_postcode'
        WHEN NOT coalesce(located, false) THEN 'unlocated'
        WHEN NOT in_density THEN 'outside_city'
        WHEN year NOT BETWEEN setting('analyses/density', '$.series.first_year')::INTEGER
            AND setting('analyses/density', '$.series.last_year')::INTEGER THEN 'outside_years'
    END AS reason
FROM registered AS r LEFT JOIN postcodes USING (postcode)
WHERE dataset = setting('analyses/density', '$.dataset')
    AND setting('analyses/density', '$.series.age_band')
        IN ('all', age_band(setting('analyses/density', '$.age_bands'), age));

CREATE VIEW distribution_records AS
SELECT r.*, CASE
        WHEN postcode IS NULL THEN 'no_postcode'
        WHEN NOT coalesce(located, false) THEN 'unlocated'
        WHEN NOT in_distribution THEN 'outside_city'
        WHEN year NOT BETWEEN setting('analyses/distribution', '$.first_year')::INTEGER
            AND setting('analyses/distribution', '$.last_year')::INTEGER THEN 'outside_years'
        WHEN element IS NULL THEN 'no_element'
    END AS reason
FROM registered AS r LEFT JOIN postcodes USING (postcode)
WHERE dataset = setting('analyses/distribution', '$.dataset')
    AND setting('analyses/distribution', '$.age_band')
        IN ('all', age_band(setting('analyses/distribution', '$.age_bands'), age));

CREATE VIEW service_records AS
SELECT *, CASE
        WHEN year NOT BETWEEN setting('analyses/provision', '$.services.first_year')::INTEGER
            AND setting('analyses/provision', '$.services.last_year')::INTEGER
        THEN 'outside_years'
    END AS reason,
    age_band(setting('analyses/provision', '$.services.age_bands'), age) AS age_band
FROM registered WHERE dataset = setting('analyses/provision', '$.services.dataset');

CREATE VIEW element_records AS
SELECT * REPLACE (CASE
        WHEN person IS NULL THEN 'no_person' WHEN element IS NULL THEN 'no_element'
    END AS reason)
FROM service_records;
