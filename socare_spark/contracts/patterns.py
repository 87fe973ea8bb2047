"""Regular expressions that mean the same to Python and to Java, which matches the cells."""

import re
import warnings

_PYTHON_ALONE = re.compile(r"\(\?(P[<=>]|\(|[aLux]+[:)])|\\[UN]")


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
    if _PYTHON_ALONE.search(pattern.replace("\\\\", "")):
        raise ValueError("holds a group or an escape that Java does not have: use another")
    return pattern
