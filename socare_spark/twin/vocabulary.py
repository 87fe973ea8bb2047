"""The codes the records are written in, read from conf/vocabulary, which the jobs read as well."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "conf" / "vocabulary"


@cache
def vocabulary(name: str) -> Any:  # noqa: ANN401 - each file has a shape of its own
    """The content of conf/vocabulary/NAME.yaml."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def bands(name: str) -> list[tuple[str, int, int]]:
    """A named set of age bands as (label, from, to); an open end becomes 200."""
    return [
        (b["label"], b["from"], 200 if b["to"] is None else b["to"])
        for b in vocabulary("age_bands")[name]
    ]
