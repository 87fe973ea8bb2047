"""Lines of YAML with comments."""

import math
from collections.abc import Iterator

import yaml

DECIDE = "DECIDE"
WIDTH = 100


def comment_lines(text: str, indent: str) -> Iterator[str]:
    """A comment in lines of at most 100 characters."""
    line = f"{indent}#"
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH and line != f"{indent}#":
            yield line
            line = f"{indent}# "
        line += f" {word}"
    yield line


def flow(value: object) -> str:
    """A value as YAML in one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=math.inf, sort_keys=False, allow_unicode=True
    )
    return text.strip().removesuffix("...").strip()
