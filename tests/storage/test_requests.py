"""Requests to S3: each takes time and money on a real store."""

import pytest
from council import RemoteCouncil

# Requests of a first ingest of one file, and of a second one without a new file, with those that
# land the file.
FIRST, SECOND = 309, 41
# Requests that Hadoop repeats and the order of its threads make the number vary a little.
_MOST = 1.2


@pytest.fixture
def council(spark, tmp_path, bucket):
    return RemoteCouncil(spark, tmp_path, store=bucket)


def test_an_ingest_needs_no_more_requests_than_declared(council, s3, monkeypatch):
    council.lands("2015.csv", "a,7,1950-06-15,2015-03-01,,,F,B1 1AA,,SMITH")
    counts = []
    for _ in range(2):
        before = s3.requests()
        assert council.ingests(monkeypatch) == ""
        counts.append(s3.requests() - before)
    first, second = counts
    assert first <= FIRST * _MOST, counts
    assert second <= SECOND * _MOST, counts
