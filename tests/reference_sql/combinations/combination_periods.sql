-- A period has month names, as in `Oct 12 - Feb 15` or `from Sep 16`, or years only.
WITH spelled AS (
    SELECT reason, reason_description, count(*) AS records, trim(regexp_extract(
            trimmed(reason_description), '\(([^()]*[0-9]{2}[^()]*)\)$', 1
        )) AS figures
    FROM uses GROUP BY ALL
),
sides AS (  -- the words of an end become a dash
    SELECT *, regexp_extract(
            regexp_replace(lower(hyphened(figures)), '\b(up to|until|till|to)\b', '-', 'g'),
            '^(from|since)? *((?:[a-z]{3,9} *)?(?:19|20)?[0-9]{2})? *(-)? *'
                || '((?:[a-z]{3,9} *)?(?:19|20)?[0-9]{2})? *(onwards)?$',
            ['since', 'first', 'dash', 'last', 'onwards']
        ) AS side
    FROM spelled WHERE figures <> ''
),
points AS (
    SELECT *, side.first AS first,
        CASE WHEN side.dash || side.since || side.onwards = '' THEN side.first ELSE side.last END
            AS last
    FROM sides
),
periods AS (
    SELECT *, CASE
            WHEN first ~ '^[a-z]' THEN strptime(first[:3] || first[-2:], '%b%y')::DATE
            WHEN len(first) = 4 THEN make_date(first::INTEGER, 1, 1)
        END AS declared_from,
        CASE
            WHEN last ~ '^[a-z]' THEN last_day(strptime(last[:3] || last[-2:], '%b%y')::DATE)
            WHEN len(last) = 4 THEN make_date(last::INTEGER, 12, 31)
        END AS declared_to
    FROM points
),
declared AS (  -- of several that which most records carry
    FROM periods
    QUALIFY row_number() OVER (
        PARTITION BY reason
        ORDER BY coalesce(declared_from, declared_to) IS NULL, records DESC, reason_description
    ) = 1
)
SELECT reason, declared_from, declared_to, min(first_day) AS observed_from,
    max(last_day) AS observed_to,
    CASE WHEN coalesce(declared_from, declared_to) IS NOT NULL
        THEN count(*) FILTER (first_day < declared_from OR first_day > declared_to)
    END AS records_outside,
    count(DISTINCT person) AS people, count(*) AS records, NULL::DECIMAL(20, 2) AS cost
FROM uses JOIN declared USING (reason)
GROUP BY reason, declared_from, declared_to;
