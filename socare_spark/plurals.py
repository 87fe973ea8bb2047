"""Numbers with their noun in messages."""


def counted(number: int, noun: str) -> str:
    """A number with its noun in the singular or plural: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
