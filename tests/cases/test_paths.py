"""Lake, landing and configuration work below any folder name that the lake's check allows."""

import pytest
from council import Council

pytestmark = pytest.mark.spark
ROW = "1,7,1990-05-04,2014-01-06,,12.50,F,B1 1AA,note,Smith"


@pytest.mark.parametrize("name", ["{a}*?", "a b#c&d", "-ü–☂ 50%", 'it\'s "one"', "a:b;c=d,e"])
def test_ingest_works_below_a_folder_of_any_allowed_name(spark, tmp_path, monkeypatch, name):
    council = Council(spark, tmp_path / name)
    council.lands("2014.csv", ROW)
    with council.lake.storage.held("ingest"):
        assert council.ingests(monkeypatch) == ""
    council.lands("2015.csv", ROW.replace("1,7", "2,8"))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id") == [("1",), ("2",)]


def test_landing_path_allows_characters_that_a_lake_path_does_not(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    council.landing = tmp_path / "[a]^b%20" / "landing"
    (council.landing / "visits").mkdir(parents=True)
    council.lands("2014.csv", ROW)
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id") == [("1",)]
