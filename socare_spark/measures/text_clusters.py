"""Texts that are probably one thing spelled in several ways.

Two rules join texts, as in OpenRefine's key collision and nearest neighbour: the same words
whatever their order, case and marks, or the same letters wherever blanks stand; or letters that
differ by one slip of the hand. Some differences are never slips, because they part one thing from
another:

- Fixed words: numbers (`Form 1`, `Phase II`, `six`), single letters (`Band A`), names of months and
  days (`Jun`). Their order counts too: `1 of 2` is not `2 of 1`.
- Two known words (`Glass`, `Grass`): each stands in several texts that no text with the other word
  in its place answers. Only where one of them is far more usual beside the same neighbours
  (`Social Care`, `Social Car`) it is a slip. A word and its plural are one word.
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

_MARKS = re.compile(r"[^\w]+|_+")
_NUMBERS = re.compile(r"\d+")

# In this order a numeral is written; the empty text matches too.
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
# A word is known beside another one where it stands in this many texts of its own.
_OWN_TEXTS = 2
# So many times as usual beside the same neighbours as the other one makes the other one a slip.
_FAR_MORE_USUAL = 5


def fingerprint(text: str) -> str:
    """The words of a text in lower case without accents and marks, sorted.

    Fixed words keep the order that they have in the text, in the places that sorting gives them.
    """
    found = words(text)
    in_order = (word for word in found if is_fixed(word))
    return " ".join(next(in_order) if is_fixed(word) else word for word in sorted(found))


@cache
def is_fixed(word: str) -> bool:
    """Whether a word is a number, a single letter, a month or a day: a change makes another thing.

    Args:
        word: In lower case, as `words` gives it.
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
    """The words of a text in order, in lower case without accents and marks."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _MARKS.sub(" ", plain).split()


def is_single_edit(a: str, b: str) -> bool:
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


def text_clusters(records: Mapping[str, int], shortest: int) -> dict[str, str]:
    """Texts of which there are several spellings, each with the most used one of its group.

    Args:
        records: How often each text is used.
        shortest: Letters and digits that a text must have to be compared by slips.

    Returns:
        text -> canonical text; texts that are alone are left out. Of equally used ones the first in
        the order of their characters is canonical.
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
    found = {}
    for group in members.values():
        canonical = min(group, key=lambda t: (-records[t], t))
        found.update(dict.fromkeys(group if len(group) > 1 else [], canonical))
    return found


def _same_words(texts: Sequence[str]) -> Iterable[tuple[int, int]]:
    by_key: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        spelled = words(text)
        if spelled:
            by_key["words", fingerprint(text)].append(i)
            # Blanks may stand anywhere but within numbers: `1 12` is not `11 2`.
            by_key["letters", "".join(spelled), *_NUMBERS.findall(" ".join(spelled))].append(i)
    for places in by_key.values():
        yield from ((places[0], other) for other in places[1:])


def _single_edits(texts: Sequence[str], shortest: int) -> Iterator[tuple[int, int]]:
    """Pairs of texts that are one slip apart."""
    spelled: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        word = letters(text)
        if len(word) >= shortest:
            spelled[word].append(i)
    in_words = [tuple(words(text)) for text in texts]
    vocabulary = _Vocabulary(in_words)
    for a, b in _near(list(spelled)):
        for i, j in product(spelled[a], spelled[b]):
            if vocabulary.may_be_a_slip(in_words[i], in_words[j]):
                yield i, j


def _near(spelled: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs one slip apart: two such texts have a text in common that lacks one letter of each.

    Keys are sorted as numbers, since a table of lists would take a hundred times the memory.
    """
    lengths = [len(word) + 1 for word in spelled]
    keys = np.fromiter(
        (
            hash(key)
            for word in spelled
            for key in (word, *(word[:at] + word[at + 1 :] for at in range(len(word))))
        ),
        dtype=np.int64,
        count=sum(lengths),
    )
    owners = np.repeat(np.arange(len(spelled)), lengths)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] - 1))
    seen: set[tuple[int, int]] = set()
    for sharing in np.split(owners[order], starts[1:]) if len(order) else ():
        for a, b in combinations(dict.fromkeys(sharing.tolist()), 2):
            if (a, b) not in seen and is_single_edit(spelled[a], spelled[b]):
                seen.add((a, b))
                yield spelled[a], spelled[b]


class _Vocabulary:
    """The words of all texts, which tell a slip from another word.

    Args:
        texts: The words of each text.
    """

    def __init__(self, texts: Iterable[tuple[str, ...]]) -> None:
        # A text that differs in marks, case or order alone is the same text.
        by_bag = {tuple(sorted(text)): text for text in texts}
        self._bags = by_bag.keys()
        self._beside = Counter(pair for text in by_bag.values() for pair in pairwise(text))
        self._with: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for bag in self._bags:
            for word in set(bag):
                self._with[word].append(bag)
        self._own: dict[tuple[str, str], bool] = {}

    def may_be_a_slip(self, a: tuple[str, ...], b: tuple[str, ...]) -> bool:
        """Whether two texts that are one slip apart are one thing.

        Args:
            a: Words of the first text in order.
            b: Words of the second.
        """
        differ = [at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
        if len(a) == len(b) and len(differ) == 1:
            (at,) = differ
            usual = sorted(self._usual(text, at) for text in (a, b))
            return self._one_word(a[at], b[at], far=usual[1] >= _FAR_MORE_USUAL * usual[0])
        # A blank is in another place as well: no fixed word may have come, gone or changed.
        return _fixed(a) == _fixed(b)

    def _usual(self, text: tuple[str, ...], at: int) -> int:
        """How many texts have a word of a text beside one of the neighbours that it has there."""
        return sum(self._beside[pair] for pair in pairwise(text[max(at - 1, 0) : at + 2]))

    def _one_word(self, a: str, b: str, *, far: bool) -> bool:
        """Whether a word is a slip of another one.

        Args:
            a: A word.
            b: The other one.
            far: Whether one of them is far more usual beside the same neighbours.
        """
        if is_fixed(a) and is_fixed(b):
            return False
        if len(a) == 1 or len(b) == 1:
            # `of` may have lost a letter; `Band A` and `Band AB` are two things.
            letter, word = sorted((a, b), key=len)
            return self._known(word, letter) and (far or not self._known(letter, word))
        if any(c.isdigit() for c in a + b):
            return True  # the slip itself is in a letter: `B21st` and `B21sr`
        if a + "s" == b or b + "s" == a:
            return True
        return far or not (self._known(a, b) and self._known(b, a))

    def _known(self, word: str, other: str) -> bool:
        """Whether enough texts hold a word that no text with the other in its place answers."""
        if (word, other) not in self._own:
            own = (
                bag
                for bag in self._with[word]
                if tuple(sorted(other if w == word else w for w in bag)) not in self._bags
            )
            self._own[word, other] = sum(1 for _ in islice(own, _OWN_TEXTS)) == _OWN_TEXTS
        return self._own[word, other]


def _fixed(text: tuple[str, ...]) -> list[str]:
    return [word for word in text if is_fixed(word)]
