"""Texts that are probably one thing spelled in several ways.

Two ways of telling, as in OpenRefine's key collision and nearest neighbour: the same words whatever
their order, case and marks, or the same letters wherever blanks stand; or letters that differ by
one slip of the hand. Numbers are never slips: `Form 1` and `Form 2` are two things.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

_MARKS = re.compile(r"[^\w]+|_+")


def fingerprint(text: str) -> str:
    """The words of a text in lower case without accents and marks, sorted."""
    return " ".join(sorted(words(text)))


def letters(text: str) -> str:
    """The letters and digits of a text in order, in lower case without accents."""
    return "".join(words(text))


def words(text: str) -> list[str]:
    """The words of a text in order, in lower case without accents and marks."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _MARKS.sub(" ", plain).split()


def one_slip(a: str, b: str) -> bool:
    """Whether one letter more, less, changed, or two neighbours changed over make one the other.

    That is an optimal string alignment distance of at most 1, in which no digit takes part.
    """
    if abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    left, right = a[start : len(a) - end], b[start : len(b) - end]
    if any(c.isdigit() for c in left + right):
        return False
    return max(len(left), len(right)) <= 1 or (len(left) == 2 and left == right[::-1])


def spelling_groups(records: Mapping[str, int], shortest: int) -> dict[str, str]:
    """Texts of which there are several spellings, each with the most used one of its group.

    Args:
        records: How often each text is used.
        shortest: Letters and digits that a text must have to be compared by slips.

    Returns:
        text -> canonical text; texts that are alone are left out. Of equally used ones the first in
        the order of their characters is canonical.
    """
    texts = sorted(records)
    pairs = [*_same_words(texts), *_slips(texts, shortest)]
    if not pairs:
        return {}
    rows, columns = np.array(pairs).T
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(texts),) * 2)
    _, labels = connected_components(graph, directed=False)
    members: dict[int, list[str]] = defaultdict(list)
    for text, label in zip(texts, labels.tolist(), strict=True):
        members[label].append(text)
    found = {}
    for group in members.values():
        canonical = min(group, key=lambda t: (-records[t], t))
        found.update(dict.fromkeys(group if len(group) > 1 else [], canonical))
    return found


def _same_words(texts: Sequence[str]) -> Iterable[tuple[int, int]]:
    by_key: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        by_key["words", fingerprint(text)].append(i)
        by_key["letters", letters(text)].append(i)
    for (_, key), places in by_key.items():
        if key:
            yield from ((places[0], other) for other in places[1:])


def _slips(texts: Sequence[str], shortest: int) -> Iterable[tuple[int, int]]:
    """Pairs one slip apart: two such texts have a text in common that lacks one letter of each."""
    spelled: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        word = letters(text)
        if len(word) >= shortest:
            spelled[word].append(i)
    lacking: dict[int, list[str]] = defaultdict(list)
    for word in spelled:
        for key in {hash(word), *(hash(word[:at] + word[at + 1 :]) for at in range(len(word)))}:
            lacking[key].append(word)
    for words in lacking.values():
        for a, b in combinations(words, 2):
            if one_slip(a, b):
                yield spelled[a][0], spelled[b][0]
