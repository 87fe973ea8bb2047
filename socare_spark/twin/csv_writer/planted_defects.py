"""Planted defects: bad rows, and odd rows that are good.

A bad row is an additional row with an identifier of its own, spoilt in one way, so that it has
exactly one reason. An odd row is a kept row in a spelling that a correct pipeline must understand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from socare_spark.twin.csv_writer.csv_cells import quoted
from socare_spark.twin.csv_writer.extract import Layout

Cells = dict[str, str]
PLACEHOLDERS = ("", "0", "999999999", "UNKNOWN", "N/A", "TEST")
NONSENSE = ("BIRMINGHAM", "B1", "??")
NOT_GENDERS = ("X", "9", "Q")
NOT_COSTS = ("n/k", "twelve", "12..50")
MISTYPED = {
    "OAEHSGCO": ("OAHSGCO", "OAEHSCGO"), "OAIHSENB": ("OAIHSEBN", "OAIHSNB"),
    "LDEDAYCR": ("LDEDYACR", "LDEDAYRC"), "PDEHSUPP": ("PDEHSUP", "PDEHUSPP"),
    "CHIFOMAI": ("CHIFOMIA", "CHFOMAI"), "OAERESID": ("OAERESDI", "OARESID"),
    "HSSU65PL": ("HSSU65LP", "HSU65PL"), "DIROA": ("DIRAO", "DIR0A"),
    "LDEHSUPP": ("LDEHSUP", "LDHESUPP"),
}  # fmt: skip
UNKNOWN_ELEMENTS = ("ZZTEST", "OAEXXXX", "MISC01")
AWKWARD = (
    'Known as "{}", see notes',
    "{}\nsecond line: times vary",
    'Two visits, "double handed"\n{}, agreed by panel',
)
FULL_WIDTH = {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}


@dataclass(frozen=True)
class Kind:
    """One way to spoil a row: its reason, its rate, and the change to the cells."""

    name: str
    reason: str
    rate: float
    spoil: Callable[[Cells, "Spot"], None] | None


@dataclass(frozen=True)
class Spot:
    """Where a row is spoilt: the file's as-of date, and a number that varies the form of the
    defect.
    """

    layout: Layout
    as_of: date
    turn: int

    def pick(self, values: tuple[str, ...]) -> str:
        """One of the values, by turns."""
        return values[self.turn % len(values)]


def kinds(layout: Layout, columns: tuple[str, ...]) -> list[Kind]:
    """The ways in which rows with these columns can be bad."""
    found = [
        Kind(f"missing {c}", "missing", 0.0003, _missing(c))
        for c in layout.required
        if c in columns
    ]
    dates_held = [c for c in (layout.start, layout.end, "DOB") if c in columns and c is not None]
    found += [Kind(f"date not real {c}", "date_format", 0.0004, _not_a_date(c)) for c in dates_held]
    if layout.end:
        found.append(Kind("end before start", "date_order", 0.0008, _end_before_start))
        found.append(Kind("end in future", "date_range", 0.0005, _end_in_future))
    if layout.birth_before_start:
        found.append(Kind("born after start", "date_order", 0.0004, _born_after_start))
    if layout.start:
        found.append(Kind("all in future", "date_range", 0.0004, _all_in_future))
    if "DOB" in columns:
        found.append(Kind("born before 1900", "date_range", 0.0003, _born_long_ago))
    simple = (
        ("WEEKLY_COST", "type", 0.0005, NOT_COSTS),
        ("GENDER", "not_allowed", 0.0005, NOT_GENDERS),
        ("POSTCODE", "pattern", 0.0009, NONSENSE),
        (layout.person, "person_missing", 0.0015 if layout.person_required else 0.0, PLACEHOLDERS),
    )
    found += [
        Kind(f"{reason} {c}", reason, rate, _replaced(c, values))
        for c, reason, rate, values in simple
        if c in columns and rate
    ]
    return [
        *found,
        Kind("row too short", "row_shape", 0.0003, None),
        Kind("row too long", "row_shape", 0.0003, None),
    ]


def spoilt_line(kind: Kind, cells: Cells, spot: Spot) -> str:
    """The line of a bad row made from the cells of a good one."""
    if kind.spoil is not None:
        kind.spoil(cells, spot)
    values = list(cells.values())
    if kind.name == "row too short":
        values = values[:-1] if len(values) < 6 else values[:-2]
    if kind.name == "row too long":
        values.append("x")
    return ",".join(values) + "\n"


def _missing(column: str) -> Callable[[Cells, Spot], None]:
    def spoil(cells: Cells, spot: Spot) -> None:
        cells[column] = ""

    return spoil


def _replaced(column: str, values: tuple[str, ...]) -> Callable[[Cells, Spot], None]:
    def spoil(cells: Cells, spot: Spot) -> None:
        cells[column] = spot.pick(values)

    return spoil


def _not_a_date(column: str) -> Callable[[Cells, Spot], None]:
    def spoil(cells: Cells, spot: Spot) -> None:
        year = (cells[column] or "2012")[:4]
        forms = (f"{year}-02-30", f"31/11/{year}", f"31.12.{year}", f"{year}-13-01", "not known")
        cells[column] = spot.pick(forms)

    return spoil


def _end_before_start(cells: Cells, spot: Spot) -> None:
    start = date.fromisoformat(cells[spot.layout.start])
    cells[str(spot.layout.end)] = (start - timedelta(days=1 + spot.turn % 40)).isoformat()


def _end_in_future(cells: Cells, spot: Spot) -> None:
    cells[str(spot.layout.end)] = (spot.as_of + timedelta(days=1 + spot.turn % 300)).isoformat()


def _born_after_start(cells: Cells, spot: Spot) -> None:
    start = date.fromisoformat(cells[spot.layout.start])
    if start == spot.as_of:
        start -= timedelta(days=1)
        cells[spot.layout.start] = start.isoformat()
    cells["DOB"] = min(start + timedelta(days=1 + spot.turn % 200), spot.as_of).isoformat()


def _all_in_future(cells: Cells, spot: Spot) -> None:
    start = spot.as_of + timedelta(days=1 + spot.turn % 300)
    cells[spot.layout.start] = start.isoformat()
    if spot.layout.end and cells[spot.layout.end]:
        cells[spot.layout.end] = (start + timedelta(days=spot.turn % 30)).isoformat()


def _born_long_ago(cells: Cells, spot: Spot) -> None:
    cells["DOB"] = date(1880 + spot.turn % 20, 1 + spot.turn % 12, 1 + spot.turn % 28).isoformat()


# --- odd but good ---------------------------------------------------------------------------------

Odd = Callable[[str, int], str]


def odd_kinds(
    layout: Layout, columns: tuple[str, ...], typed: tuple[str, ...]
) -> dict[str, tuple[float, str, Odd]]:
    """Name -> (rate, column, rewriting of the cell) for rows that stay good.

    `typed` are the element codes whose mistyped variants may occur.
    """
    found: dict[str, tuple[float, str, Odd]] = {}
    if layout.start:
        found["start in second format"] = (0.003, layout.start, _second_format)
    if layout.end:
        found["end in second format"] = (0.002, layout.end, _second_format)
    if "DOB" in columns:
        found["birth in second format"] = (0.001, "DOB", _second_format)
    if layout.may_lack_birth:
        found["birth missing"] = (0.012, "DOB", lambda _text, _turn: "")
    if layout.person in columns:
        found["person spelled otherwise"] = (0.0012, layout.person, _other_person_spelling)
    if layout.person in columns and not layout.person_required:
        found["person placeholder"] = (
            0.002,
            layout.person,
            lambda _text, turn: PLACEHOLDERS[1:][turn % 5],
        )
    if "POSTCODE" in columns:
        found["postcode spelled otherwise"] = (0.008, "POSTCODE", _other_postcode_spelling)
    if "ELEMENT" in columns and typed:
        found["element mistyped"] = (0.012, "ELEMENT", _mistyped(typed))
        found["element unknown"] = (0.001, "ELEMENT", _unknown(typed))
    if "ELEMENT_DESCRIPTION" in columns and typed:
        found["description awkward"] = (0.001, "ELEMENT_DESCRIPTION", _awkward)
    return found


def _second_format(text: str, turn: int) -> str:
    return f"{text[8:10]}/{text[5:7]}/{text[:4]}" if text else text


def _other_person_spelling(text: str, turn: int) -> str:
    if not text:
        return text
    return (f"000{text}", f" {text}", f"{text} ", text.translate(FULL_WIDTH), f"0{text}")[turn % 5]


def _other_postcode_spelling(text: str, turn: int) -> str:
    if not text:
        return text
    return (
        text.lower(),
        text.replace(" ", ""),
        text.replace(" ", "  "),
        f"{text} ",
        text.lower().replace(" ", ""),
    )[turn % 5]


def _mistyped(typed: tuple[str, ...]) -> Odd:
    def rewrite(text: str, turn: int) -> str:
        return MISTYPED[text][turn % 2] if text in typed else text

    return rewrite


def _unknown(typed: tuple[str, ...]) -> Odd:
    def rewrite(text: str, turn: int) -> str:
        return UNKNOWN_ELEMENTS[turn % 3] if text in typed else text

    return rewrite


def _awkward(text: str, turn: int) -> str:
    bare = text[1:-1].replace('""', '"') if text.startswith('"') else text
    return quoted(AWKWARD[turn % 3].format(bare)) if bare else text


# --- how many, and where --------------------------------------------------------------------------

LEAST_FILE = 200
LARGEST_BAD_SHARE = 0.025


def allocate(
    rng: np.random.Generator, rates: dict[str, float], sizes: dict[str, int]
) -> dict[str, dict[str, int]]:
    """The number of rows of each kind for each file.

    Every kind comes at least twice in the dataset, spread over the files by size. Files too small
    to bear a bad row far below the gate get none, and no file gets more than 2.5 % bad rows: the
    rest goes to the files with most room.
    """
    able = [f for f, n in sizes.items() if n >= LEAST_FILE]
    plan: dict[str, dict[str, int]] = {f: {} for f in sizes}
    if not able:
        return plan
    weights = np.array([sizes[f] for f in able], dtype=float)
    room = np.array([int(LARGEST_BAD_SHARE * sizes[f]) for f in able])
    for kind, rate in rates.items():
        count = min(max(2, round(rate * sum(sizes.values()))), int(room.sum()))
        placed = np.minimum(rng.multinomial(count, weights / weights.sum()), room)
        while (left := count - int(placed.sum())) > 0:
            roomiest = int(np.argmax(room - placed))
            placed[roomiest] += min(left, int((room - placed)[roomiest]))
        room -= placed
        for f, n in zip(able, placed.tolist(), strict=True):
            if n:
                plan[f][kind] = n
    return plan
