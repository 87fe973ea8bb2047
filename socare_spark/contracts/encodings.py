"""The encodings of files that a contract can declare."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

UTF_16 = ("utf-16", "utf-16le", "utf-16be")
ENCODINGS = ("utf-8", "us-ascii", "windows-1252", "iso-8859-1", "iso-8859-15", *UTF_16)


def _is_supported(value: str) -> str:
    if value.lower() not in ENCODINGS:
        raise ValueError(f"allowed are {', '.join(ENCODINGS)}")
    return value


def _any_case(text: str) -> str:
    """A regular expression for a text in upper or lower case, without flags."""
    return re.sub("[a-z]", lambda match: f"[{match[0].upper()}{match[0]}]", text)


# Editors offer the names in lower case. Upper case is allowed too.
Encoding = Annotated[
    str,
    AfterValidator(_is_supported),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*ENCODINGS]},
                {"type": "string", "pattern": f"^({'|'.join(map(_any_case, ENCODINGS))})$"},
            ]
        }
    ),
]
