"""Which council and project this is, and how identifiers of each scheme are read."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field as Key
from pydantic import field_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.patterns import portable

# A number that a spreadsheet or a person wrote their own way: 4E+06, 4.5, 4,000,001, -4, (4), 4;
_NUMBER_NOT_WHOLE = r"[(+-]*[.,]?[0-9][0-9.,' ]*(E[+-]?[0-9]+)?[-);:*%?! ]*"
# A digit or letter; beyond ASCII, anything but punctuation, signs and the replacement character.
_LETTER_OR_DIGIT = (
    r"[0-9A-Z]|[^\x00-\xbf\xd7\xf7\u2000-\u206f\u2190-\u2bff\u3000-\u303f\ufe30-\ufe4f"
    r"\ufff0-\uffff]"
)
# Digits alone, or a text with a letter or digit that neither reads as such a number nor begins as a
# formula or the error of a spreadsheet (=A1, #REF!) does.
IDENTIFIER_SHAPE = (
    rf"[0-9]+|(?!{_NUMBER_NOT_WHOLE}$)(?=.*({_LETTER_OR_DIGIT}))"
    r"""[^=+#"'\x00-\x1f\x7f][^"\x00-\x1f\x7f]*"""
)


class Scheme(StrictModel):
    """A family of identifiers that mean the same thing wherever they occur.

    Attributes:
        person: Whether a token of this scheme stands for a person.
        strip_leading_zeros: `007` and `7` are one identifier.
        remove: Characters that do not count, such as blanks or hyphens.
        placeholders: Values that stand for no identifier, in any spelling of an identifier.
        shape: Regular expression that the whole normalised identifier must match.
    """

    person: bool = False
    strip_leading_zeros: bool = False
    remove: str = ""
    placeholders: tuple[str, ...] = ()
    shape: str = IDENTIFIER_SHAPE

    @field_validator("shape")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        return portable(value)


class Project(StrictModel):
    """`conf/project.yaml`."""

    council: str = Key(min_length=1)
    project: str = Key(min_length=1)
    key_id: str = Key(min_length=1)
    schemes: Mapping[str, Scheme]


def read_project(conf: Path) -> Project:
    """Reads `project.yaml`."""
    return read_model(conf / "project.yaml", Project)
