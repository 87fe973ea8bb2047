"""Published figures and places that the twin is made from."""

from pathlib import Path

FACTS = Path(__file__).parent
