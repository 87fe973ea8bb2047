"""Columns that are dropped may be called as others are written."""

from council import HEADER, Council


def test_a_dropped_column_may_have_the_name_of_another_output(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    fields = council.contract["schema"]["fields"]
    home = next(f for f in fields if f["name"] == "POSTCODE")
    home |= {"name": "HOME_POSTCODE", "socare": {"keep": "postcode", "as": "postcode"}}
    fields[:0] = [{"name": name, "socare": {"drop": True}} for name in ("PERSON", "POSTCODE")]
    header = HEADER.replace("POSTCODE", "HOME_POSTCODE") + ",PERSON,POSTCODE"
    council.lands("2014.csv", "1,7,,2014-03-01,,,F,B1 1AA,a,SMITH,JANE,B2 2BB", header=header)
    assert council.ingests(monkeypatch) == ""
    ((token, postcode),) = council.rows("person", "postcode")
    assert (postcode, type(token)) == ("B1 1AA", int)
    ((known, scheme),) = council.rows("person", "scheme", table="restricted/people")
    assert (known, scheme) == (token, "person")
