"""docs/analyses.md is what the models of settings and the needs of the analyses say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from socare_spark.config import StrictModel
from socare_spark.configuration.analyses_page import analyses_page
from socare_spark.configuration.files import FILES
from socare_spark.configuration.settings_reference import settings_table, undescribed

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date():
    page = analyses_page(ROOT / "conf")
    assert (ROOT / "docs" / "analyses.md").read_text("utf-8") == page, "run scripts/schemas"


def test_combinations_of_columns_and_flags_need_them():
    page = analyses_page(ROOT / "conf")
    assert "With `columns` and `flags`, and without `reason` and `outcome`:" in page
    row = "| `working/combination_sets` | `columns`, `flags` | `first_day`, `last_day`, `person` |"
    assert row in page


OF_ANALYSES = [file for file in FILES if file.analysis and file.name != "flow"]


@pytest.mark.parametrize("file", OF_ANALYSES, ids=[file.name for file in OF_ANALYSES])
def test_every_setting_has_a_meaning(file):
    assert undescribed(file.model) == []


class Part(StrictModel):
    """A part.

    Attributes:
        size: Size of the part,
            in metres; None means no limit.
        kind: A kind | another.
    """

    size: Annotated[float, Field(gt=0)] | None = None
    kind: Literal["a", "b"] = "a"


class Whole(StrictModel):
    """A whole.

    Attributes:
        name: Its name.
        parts: Its parts.
        by_name: Name -> part.
    """

    name: str = Field(alias="called", min_length=1)
    parts: tuple[Part, ...] = Field(min_length=2)
    by_name: Mapping[str, Part] = {}
    unknown: tuple[int, int] = (1, 2)


def test_settings_are_listed_with_type_default_and_meaning():
    assert settings_table(Whole).splitlines()[2:] == [
        "| `called` | text (at least 1 characters) | required | Its name. |",
        "| `parts` | list of keys (at least 2 entries) | required | Its parts. |",
        "| `parts[].size` | number (more than 0) or null | `null` | Size of the part, in metres; "
        "null means no limit. |",
        r"| `parts[].kind` | `a`, `b` | `a` | A kind \| another. |",
        "| `by_name` | mapping: text → keys |  | Name -> part. |",
        "| `by_name.NAME.size` | number (more than 0) or null | `null` | Size of the part, in "
        "metres; null means no limit. |",
        r"| `by_name.NAME.kind` | `a`, `b` | `a` | A kind \| another. |",
        "| `unknown` | list of 2 whole numbers | `[1, 2]` |  |",
    ]
    assert undescribed(Whole) == ["unknown"]
