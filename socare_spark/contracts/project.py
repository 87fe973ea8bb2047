"""Which council and project this is, and how identifiers of each scheme are read."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field as Key

from socare_spark.contracts.load import Strict, read_model


class Scheme(Strict):
    """A family of identifiers that mean the same thing wherever they occur.

    Attributes:
        person: Whether a token of this scheme stands for a person.
        strip_leading_zeros: `007` and `7` are one identifier.
        remove: Characters that do not count, such as blanks or hyphens.
        placeholders: Normalised values that stand for no identifier.
    """

    person: bool = False
    strip_leading_zeros: bool = False
    remove: str = ""
    placeholders: tuple[str, ...] = ()


class Project(Strict):
    """`conf/project.yaml`."""

    council: str = Key(min_length=1)
    project: str = Key(min_length=1)
    key_id: str = Key(min_length=1)
    schemes: Mapping[str, Scheme]


def read_project(conf: Path) -> Project:
    """Reads `project.yaml`."""
    return read_model(conf / "project.yaml", Project)
