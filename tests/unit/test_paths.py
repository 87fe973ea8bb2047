"""Folder names that a lake can have, and those that are refused before a run."""

import pytest

from socare_spark.errors import ConfigurationError
from socare_spark.storage.location import check_lake_path, literal_path


@pytest.mark.parametrize(
    "name", ["a b", "ü–☂", "a#b", "a&b", "a'b", 'a"b', "a:b", "50%", "{a}*?", "-a"]
)
def test_a_lake_can_have_any_other_name(tmp_path, name):
    check_lake_path(tmp_path / name)


@pytest.mark.parametrize("name", ["a[1]", "a^b", "a|b", "a\\b", "a\tb", "a\nb", "a%20b", "a%25"])
def test_a_lake_that_delta_cannot_open_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match="--lake"):
        check_lake_path(tmp_path / name)


def test_marks_of_a_pattern_are_escaped(tmp_path):
    assert literal_path(f"{tmp_path}/a[1]{{b}}*?").endswith(r"a\[1\]\{b\}\*\?")
