SELECT replace(reason, '+', '\+') || ' + ' || replace(outcome, '+', '\+') AS combination, 2 AS parts,
    counted.* EXCLUDE (subprocess, reason, outcome)
FROM counted;
