"""Codes of service elements: corrected spellings."""

from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses.vocabulary import read_element_words
from socare_spark.lake.columns import value_of


def read_canonical_codes(conf: Path) -> Mapping[str, str]:
    """Reads the mapping from spellings of elements to canonical codes, both in upper case."""
    return {
        wrong.upper(): right.upper() for wrong, right in read_element_words(conf).mended.items()
    }


def canonical_code(code: Column, corrections: Mapping[str, str]) -> Column:
    """Code in upper case, replaced by the canonical code if its spelling has a correction."""
    plain = F.upper(F.trim(code))
    return F.coalesce(value_of(plain, corrections), plain)
