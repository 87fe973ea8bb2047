"""`conf/project.yaml`: the council, the project and the identifier schemes."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field as Key
from pydantic import field_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.patterns import portable

# A number in a form that spreadsheets or people produce: 4E+06, 4.5, 4,000,001, -4, (4), 4;
_NUMBER_NOT_WHOLE = r"[(+-]*[.,]?[0-9][0-9.,' ]*(E[+-]?[0-9]{1,3})?[-);:*%?! ]*"
# A digit or letter; beyond ASCII any character but punctuation, symbols and the replacement
# character.
_LETTER_OR_DIGIT = (
    r"[0-9A-Z]|[^\x00-\xbf\xd7\xf7\u2000-\u206f\u2190-\u2bff\u3000-\u303f\ufe30-\ufe4f"
    r"\ufff0-\uffff]"
)
# Digits only, or a text with a letter or digit that is not such a number and does not begin like a
# formula or an error of a spreadsheet (=A1, #REF!).
IDENTIFIER_SHAPE = (
    rf"[0-9]+|(?!{_NUMBER_NOT_WHOLE}$)(?=.*({_LETTER_OR_DIGIT}))"
    r"""[^=+#"'\x00-\x1f\x7f][^"\x00-\x1f\x7f]*"""
)
# The default of earlier versions, with which lakes recorded their schemes.
FORMER_SHAPE = IDENTIFIER_SHAPE.replace("E[+-]?[0-9]{1,3}", "E[+-]?[0-9]+")


class Scheme(StrictModel):
    """An identifier scheme: identifiers of one scheme have the same meaning in all datasets.

    Attributes:
        person: Whether the identifiers identify people.
        strip_leading_zeros: Whether `007` and `7` are the same identifier.
        remove: Characters to ignore, such as spaces or hyphens.
        placeholders: Values that mean no identifier; they are normalised like identifiers.
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
    """The content of `conf/project.yaml`.

    Attributes:
        council: Name of the council.
        project: Name of the project.
        key_id: Name of the key; another name gives other tokens.
        schemes: Name -> identifier scheme.
    """

    council: str = Key(min_length=1)
    project: str = Key(min_length=1)
    key_id: str = Key(min_length=1)
    schemes: Mapping[str, Scheme]


def read_project(conf: Path) -> Project:
    """Reads `project.yaml`.

    Raises:
        ConfigurationError: the file is missing or invalid.
    """
    return read_model(conf / "project.yaml", Project)
