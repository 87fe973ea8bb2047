"""Regular expressions that mean the same to Python and to Java, which matches the cells."""

import re
import warnings

# Java has no octal escape without 0, no escape \b or \1 in a set and no group (?P<name>); its sets
# nest, its \v is a set, and a brace is always a quantifier.
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
    """Returns the pattern.

    Raises:
        ValueError: Python or Java cannot read it, or the two read it differently.
    """
    try:
        with warnings.catch_warnings():
            # Python announces nested sets ([[a]b], [a&&b]); Java already has them.
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, FutureWarning, OverflowError, RecursionError):
        raise ValueError("is not a regular expression that Python and Java share") from None
    if not _SHARED.fullmatch(pattern):
        raise ValueError(
            "holds a group, an escape, a set or a brace that Java reads differently: use another, "
            "and write a brace that is a character as \\{"
        )
    return pattern
