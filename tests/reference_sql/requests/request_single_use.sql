SELECT snapshot, description, people, records, cost FROM described
WHERE records = 1
    AND contains(lower(description), lower(setting('analyses/requests', '$.single_use_contains')));
