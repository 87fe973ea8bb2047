"""Clusters texts that are probably spellings of one text.

Two rules join texts, like key collision and nearest neighbour in OpenRefine. The first joins texts
with the same words in any order, case and punctuation, or the same letters with other spaces. The
second joins texts whose letters differ by a single edit. Some single edits change the meaning and
do not join texts:

- An edit of a fixed word: a number (`Form 1`, `Phase II`, `six`), a single letter (`Band A`), a
  month or a day (`Jun`). Their order matters too: `1 of 2` is not `2 of 1`.
- An edit that turns one known word into another (`Glass`, `Grass`). A word is known if it occurs in
  several texts that have no counterpart with the other word in its place. The edit still joins the
  texts if one word is far more frequent beside the same neighbours (`Social Care`, `Social Car`).
  A word and its plural count as one word.
"""

import calendar
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, islice, pairwise, product

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

_PUNCTUATION = re.compile(r"[^\w]+|_+")
_NUMBERS = re.compile(r"\d+")

# A Roman numeral; the empty text matches too.
_ROMAN = re.compile(r"m{0,3}(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_NUMBER_WORDS = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
    ]
)
_CALENDAR = frozenset(
    name.casefold()
    for names in (
        calendar.month_name,
        calendar.month_abbr,
        calendar.day_name,
        calendar.day_abbr,
    )
    for name in names
    if name
)
# Number of texts without a counterpart from which a word is known.
_MIN_OWN_TEXTS = 2
# Ratio of frequencies beside the same neighbours from which the rarer word is a misspelling.
_FREQUENCY_RATIO = 5


def fingerprint(text: str) -> str:
    """The sorted words of a text in lower case without accents and punctuation.

    Fixed words take their sorted positions in the order of the text.
    """
    text_words = words(text)
    fixed_words = (word for word in text_words if is_fixed(word))
    return " ".join(next(fixed_words) if is_fixed(word) else word for word in sorted(text_words))


@cache
def is_fixed(word: str) -> bool:
    """Whether a word is a number, a single letter, a month or a day.

    Args:
        word: A word as `words` returns it.
    """
    return (
        len(word) == 1
        or any(c.isdigit() for c in word)
        or word in _NUMBER_WORDS
        or word in _CALENDAR
        or bool(_ROMAN.fullmatch(word))
    )


def letters(text: str) -> str:
    """The letters and digits of a text in order, in lower case without accents."""
    return "".join(words(text))


def words(text: str) -> list[str]:
    """The words of a text in order, in lower case without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _PUNCTUATION.sub(" ", plain).split()


def is_single_edit(a: str, b: str) -> bool:
    """Whether two words differ by at most one edit.

    An edit inserts, deletes or replaces a letter or swaps two adjacent letters (optimal string
    alignment distance of at most 1). An edit of a digit does not count.
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


def text_clusters(records: Mapping[str, int], shortest: int) -> dict[str, str]:
    """Clusters spellings and maps each to the most frequent one of its cluster.

    Args:
        records: Text -> number of records.
        shortest: Minimum number of letters and digits of a text to be compared by single edits.

    Returns:
        Text -> canonical text, for texts in clusters of at least two. Of equally frequent texts the
        first in code point order is canonical.
    """
    texts = sorted(records)
    pairs = [*_same_words(texts), *_single_edits(texts, shortest)]
    if not pairs:
        return {}
    rows, columns = np.array(pairs).T
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(texts),) * 2)
    _, labels = connected_components(graph, directed=False)
    members: dict[int, list[str]] = defaultdict(list)
    for text, label in zip(texts, labels.tolist(), strict=True):
        members[label].append(text)
    canonical_texts = {}
    for group in members.values():
        canonical = min(group, key=lambda t: (-records[t], t))
        canonical_texts.update(dict.fromkeys(group if len(group) > 1 else [], canonical))
    return canonical_texts


def _same_words(texts: Sequence[str]) -> Iterable[tuple[int, int]]:
    by_key: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        text_words = words(text)
        if text_words:
            by_key["words", fingerprint(text)].append(i)
            # Spaces are ignored except within numbers: `1 12` is not `11 2`.
            by_key["letters", "".join(text_words), *_NUMBERS.findall(" ".join(text_words))].append(
                i
            )
    for indices in by_key.values():
        yield from ((indices[0], other) for other in indices[1:])


def _single_edits(texts: Sequence[str], shortest: int) -> Iterator[tuple[int, int]]:
    """Yields index pairs of texts that differ by a single edit and have one meaning."""
    indices_by_letters: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        compact = letters(text)
        if len(compact) >= shortest:
            indices_by_letters[compact].append(i)
    in_words = [tuple(words(text)) for text in texts]
    vocabulary = _Vocabulary(in_words)
    for a, b in _single_edit_pairs(list(indices_by_letters)):
        for i, j in product(indices_by_letters[a], indices_by_letters[b]):
            if vocabulary.is_misspelling(in_words[i], in_words[j]):
                yield i, j


def _single_edit_pairs(spellings: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields pairs of words that differ by a single edit.

    Two such words share a key: the word itself or the word without one letter. Hashes of the keys
    are sorted in an array; a dictionary of lists would take a hundred times the memory.
    """
    lengths = [len(word) + 1 for word in spellings]
    keys = np.fromiter(
        (
            hash(key)
            for word in spellings
            for key in (
                word,
                *(word[:position] + word[position + 1 :] for position in range(len(word))),
            )
        ),
        dtype=np.int64,
        count=sum(lengths),
    )
    owners = np.repeat(np.arange(len(spellings)), lengths)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] - 1))
    seen: set[tuple[int, int]] = set()
    for group in np.split(owners[order], starts[1:]) if len(order) else ():
        for a, b in combinations(dict.fromkeys(group.tolist()), 2):
            if (a, b) not in seen and is_single_edit(spellings[a], spellings[b]):
                seen.add((a, b))
                yield spellings[a], spellings[b]


class _Vocabulary:
    """The words of all texts, used to distinguish a misspelling from another word.

    Args:
        texts: The words of each text.
    """

    def __init__(self, texts: Iterable[tuple[str, ...]]) -> None:
        # Texts that differ only in punctuation, case or order are one text.
        by_bag = {tuple(sorted(text)): text for text in texts}
        self._bags = by_bag.keys()
        self._pairs = Counter(pair for text in by_bag.values() for pair in pairwise(text))
        self._texts_with: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for bag in self._bags:
            for word in set(bag):
                self._texts_with[word].append(bag)
        self._known: dict[tuple[str, str], bool] = {}

    def is_misspelling(self, a: tuple[str, ...], b: tuple[str, ...]) -> bool:
        """Whether two texts that differ by a single edit have one meaning.

        Args:
            a: Words of the first text in order.
            b: Words of the second text in order.
        """
        differing = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
        if len(a) == len(b) and len(differing) == 1:
            (i,) = differing
            low, high = sorted(self._frequency(text, i) for text in (a, b))
            return self._is_same_word(a[i], b[i], far=high >= _FREQUENCY_RATIO * low)
        # The position of a space differs as well; the fixed words must be the same.
        return _fixed_words(a) == _fixed_words(b)

    def _frequency(self, text: tuple[str, ...], i: int) -> int:
        """Number of times that the word at an index occurs beside its neighbours in all texts."""
        return sum(self._pairs[pair] for pair in pairwise(text[max(i - 1, 0) : i + 2]))

    def _is_same_word(self, a: str, b: str, *, far: bool) -> bool:
        """Whether one of two words is a misspelling or the plural of the other.

        Args:
            a: The first word.
            b: The second word.
            far: Whether one word is far more frequent than the other beside the same neighbours.
        """
        if is_fixed(a) and is_fixed(b):
            return False
        if len(a) == 1 or len(b) == 1:
            # `of` can lack a letter, but `Band A` and `Band AB` have different meanings.
            letter, word = sorted((a, b), key=len)
            return self._is_known(word, letter) and (far or not self._is_known(letter, word))
        if any(c.isdigit() for c in a + b):
            return True  # The edit is in a letter: `B21st` and `B21sr`.
        if a + "s" == b or b + "s" == a:
            return True
        return far or not (self._is_known(a, b) and self._is_known(b, a))

    def _is_known(self, word: str, other: str) -> bool:
        """Whether enough texts with a word have no counterpart with the other word in its place."""
        if (word, other) not in self._known:
            own_texts = (
                bag
                for bag in self._texts_with[word]
                if tuple(sorted(other if w == word else w for w in bag)) not in self._bags
            )
            self._known[word, other] = (
                sum(1 for _ in islice(own_texts, _MIN_OWN_TEXTS)) == _MIN_OWN_TEXTS
            )
        return self._known[word, other]


def _fixed_words(text: tuple[str, ...]) -> list[str]:
    return [word for word in text if is_fixed(word)]
