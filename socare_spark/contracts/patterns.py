"""Checks that a regular expression has the same meaning in Python and in Java.

Spark matches cells with Java.
"""

import re
import warnings

# In Java an octal escape needs a 0, a set cannot contain \b or \1, and a group (?P<name>) does not
# exist. Sets nest, \v is a set, and a brace is always a quantifier.
_SHARED = re.compile(
    r"""(?:
    \\(?![0NUv]|[0-9]{2})[\s\S]                                     # an escape
    | \[\^?\]?(?:\\[^0-9bNUv]|(?!&&)[^\[\]\\])*\]                  # a set
    | \((?!\?) | \(\?(?:[:=!>]|<[=!]|[ims]+\)|[ims]*(?:-[ims]+)?:)  # a group
    | \{[0-9]{1,9}(?:,[0-9]{0,9})?\}                                # a quantifier
    | [^\\\[({]
    )*+""",
    re.VERBOSE,
)


def portable(pattern: str) -> str:
    """Checks a pattern and returns it unchanged.

    Raises:
        ValueError: Python or Java cannot compile the pattern, or its meaning differs between them.
    """
    try:
        with warnings.catch_warnings():
            # Python warns about nested sets ([[a]b], [a&&b]), which Java supports.
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, FutureWarning, OverflowError, RecursionError):
        raise ValueError("is not a regular expression that is valid in Python and Java") from None
    if not _SHARED.fullmatch(pattern):
        raise ValueError(
            "contains a group, an escape, a set or a brace with another meaning in Java: replace "
            "it, and write a literal brace as \\{"
        )
    return pattern
