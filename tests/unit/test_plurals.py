"""Messages about one thing are in the singular."""

from types import SimpleNamespace

from socare_spark.analyses.flow.bounds import unordered_events
from socare_spark.ingest.repeated_keys import equal_rows_warning, repeated_keys_warning

CONTRACT = SimpleNamespace(
    name="visits", key_fields=["ID"], socare=SimpleNamespace(repeated_keys=0.0)
)
LOG = SimpleNamespace(is_by_line=False, key=None)
FLOW = SimpleNamespace(flow="care", file="flows/care.yaml", log=LOG)


def test_rows_with_a_repeated_key():
    one, two = (
        repeated_keys_warning(CONTRACT, "a.csv", SimpleNamespace(valid=n), n, n) for n in (1, 2)
    )
    assert one.startswith(
        "a.csv: 1 of 1 row (100.0%) has the key (ID) of a later row of the file and was not kept; "
        "1 of them equals a later row"
    )
    assert two.startswith(
        "a.csv: 2 of 2 rows (100.0%) have the key (ID) of a later row of the file and were not "
        "kept; 2 of them equal a later row"
    )


def test_equal_rows():
    assert "1 of 9 rows (11.1%) equals a later" in equal_rows_warning(CONTRACT, {"a.csv": 1}, 9)
    assert "2 of 9 rows (22.2%) equal a later" in equal_rows_warning(CONTRACT, {"a.csv": 2}, 9)


def test_events_at_the_same_time():
    assert "1 event has the case and time" in unordered_events(FLOW, 1)[0][0]
    assert "1,000 events have the case and time" in unordered_events(FLOW, 1000)[0][0]
