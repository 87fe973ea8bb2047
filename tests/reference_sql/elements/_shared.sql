-- Agreements of the compared elements.

CREATE TABLE compared AS
FROM agreements WHERE dataset = setting('analyses/elements', '$.dataset');

CREATE VIEW city AS
SELECT code AS district FROM reference.areas WHERE layer = setting('analyses/elements', '$.layer');
