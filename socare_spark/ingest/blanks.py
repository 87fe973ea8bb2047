"""Taking blanks off the ends of cells, quickly.

Spark's trim of a set of characters looks through the set for every character; its trim of the
space alone does not. Hardly any cell has another blank at an end, which its first and last
character tell.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

# What Python's str.strip takes off within ASCII, every other control character, and the blank that
# does not break.
BLANKS = "".join(chr(c) for c in (*range(33), 160))


def strip_whitespace(cell: Column, *, spaces_only: bool = False) -> Column:
    """A text without blanks and control characters around it.

    Args:
        cell: The text.
        spaces_only: Whether it is known to hold no other blank than the space.
    """
    text = F.trim(cell)
    if spaces_only:
        return text
    first, last = F.ascii(text), F.ascii(F.substring(text, -1, 1))
    blank = (first <= 32) | (last <= 32) | (first == 160) | (last == 160)
    return F.when(blank, F.trim(text, F.lit(BLANKS))).otherwise(text)
