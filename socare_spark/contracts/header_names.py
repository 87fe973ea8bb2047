"""Comparison of the names of columns."""

import re

# Names of columns of the lake, datasets, layers and schemas.
NAME = r"^[a-z][a-z0-9_]*$"


def normalise_header(header: str) -> str:
    """Normalises a header to lower snake case. Headers are compared in this form."""
    return re.sub(r"[^0-9a-z]+", "_", header.strip().lower()).strip("_")
