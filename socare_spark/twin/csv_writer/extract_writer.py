"""Writes extracts as CSV files, in pieces, with their planted defects, and counts the rows that a
correct reader must keep, quarantine or drop.
"""

import gzip
import hashlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.twin.csv_writer import planted_defects
from socare_spark.twin.csv_writer.csv_cells import as_bytes, dates, lines, quoted
from socare_spark.twin.csv_writer.extract import Extract
from socare_spark.twin.draws import EPOCH, Draws, Ints, day, years

PIECE = 200_000
SUPERSEDED_RATE, DUPLICATE_RATE = 0.002, 0.0025
BAD_SHARE = 0.009
WINDOWS_NOTES = (
    "Café visits \u2013 {}",
    "{} \u2013 £5 top-up",
    "{} (\u201crespite\u201d)",
    "Señora\u2019s request: {}",
)


@dataclass
class FileTruth:
    """The counts that a correct pipeline must find in a file."""

    status: str = "kept"
    rows_kept: int = 0
    rows_duplicate: int = 0
    rows_superseded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    sha256: str = ""

    def record(self) -> dict[str, Any]:
        """The counts as truth.json has them."""
        bad = sum(self.reasons.values())
        return {
            "sha256": self.sha256,
            "status": self.status,
            "rows_read": self.rows_kept + bad + self.rows_duplicate + self.rows_superseded,
            "rows_kept": self.rows_kept,
            "rows_quarantined": bad,
            "rows_duplicate": self.rows_duplicate,
            "rows_superseded": self.rows_superseded,
            "reasons": dict(sorted(self.reasons.items())),
            "defects": dict(sorted(self.defects.items())),
        }


@dataclass(frozen=True)
class Insertions:
    """Lines to be put into a piece: each goes before the row at its place."""

    places: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, place: int, text: str) -> None:
        """Adds one line."""
        self.places.append(place)
        self.texts.append(text)


class ExtractWriter:
    """Writes the files of one dataset."""

    def __init__(self, extract: Extract, folder: Path, draws: Draws, planted: bool) -> None:
        """Decides which rows are odd and how many bad rows each file gets."""
        self.extract = extract
        self.folder = folder / extract.dataset
        self.folder.mkdir(parents=True, exist_ok=True)
        self.draws = draws.scoped(f"defects {extract.dataset}")
        self.planted = planted
        self.used = 0
        self.variants: Counter[tuple[str, str]] = Counter()
        self.sizes = {p: len(extract.rows_of(p)) for p in extract.periods}
        self.kinds = {
            period: {
                k.name: k for k in planted_defects.kinds(extract.layout, extract.columns_of[period])
            }
            for period in extract.periods
        }
        self.plan = self._plan() if planted else {p: {} for p in extract.periods}
        self.odd = self._choose_odd() if planted else {}

    def _plan(self) -> dict[str, dict[str, int]]:
        rates = {name: kind.rate for kinds in self.kinds.values() for name, kind in kinds.items()}
        usual = BAD_SHARE / sum(rates.values())
        rates = {name: rate * usual for name, rate in rates.items()}
        plan = planted_defects.allocate(self.draws.generator("plan"), rates, self.sizes)
        for period, counts in plan.items():
            plan[period] = {name: n for name, n in counts.items() if name in self.kinds[period]}
        return plan

    def _choose_odd(self) -> dict[str, tuple[str, planted_defects.Odd, Ints]]:
        columns = tuple(dict.fromkeys(c for cs in self.extract.columns_of.values() for c in cs))
        rng = self.draws.generator("odd")
        chosen = {}
        for name, (rate, column, rewrite) in planted_defects.odd_kinds(
            self.extract.layout, columns, self.extract.mistyped
        ).items():
            count = min(self.extract.size, max(3, round(rate * self.extract.size)))
            rows = np.sort(rng.choice(self.extract.size, count, replace=False))
            chosen[name] = (column, rewrite, rows)
        return chosen

    @property
    def nameless(self) -> Ints:
        """The kept rows whose person is written as a placeholder."""
        rows = {name: rows for name, (_, _, rows) in self.odd.items()}
        none = np.empty(0, dtype=np.int64)
        # A cell is rewritten once, and its other spellings come first.
        first = rows.get("person spelled otherwise", none)
        return np.setdiff1d(rows.get("person placeholder", none), first)

    def write(self, period: str) -> FileTruth:
        """Writes the file of a period, whole or not at all, and returns the truth about it."""
        truth = FileTruth(rows_kept=self.sizes[period])
        path = self.folder / self.extract.name(period)
        partial = path.with_name(path.name + ".partial")
        rows = self.extract.rows_of(period)
        encoding = self.extract.encodings.get(period, "utf-8") if self.planted else "utf-8"
        with open(partial, "wb") as raw:
            sink: IO[bytes] = raw
            if period in self.extract.gzipped:
                packed = gzip.GzipFile(
                    filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=5
                )
                sink = cast(IO[bytes], packed)
            sink.write((",".join(quoted(c) for c in self.header(period)) + "\n").encode(encoding))
            for first in range(0, len(rows), PIECE):
                piece = self._piece(period, rows, first, truth)
                sink.write(
                    bytes(as_bytes(piece)).decode().encode(encoding)
                    if encoding != "utf-8"
                    else as_bytes(piece)
                )
            if sink is not raw:
                sink.close()
        os.replace(partial, path)
        truth.sha256 = sha256_of(path)
        return truth

    def header(self, period: str) -> tuple[str, ...]:
        """The header as written: the odd spellings are a defect as well."""
        return self.extract.header(period) if self.planted else self.extract.columns_of[period]

    def order(self, period: str) -> tuple[str, ...]:
        """The columns in the order of the file."""
        if self.planted and period in self.extract.spellings:
            return self.extract.order_of[period]
        return self.extract.columns_of[period]

    def _piece(self, period: str, rows: Ints, first: int, truth: FileTruth) -> pa.Array:
        """The lines of rows[first : first + PIECE] with the defects planted among them."""
        here = rows[first : first + PIECE]
        cells = self.extract.render(here, period)
        columns = self.order(period)
        if not self.planted:
            return lines([cells[c] for c in columns])
        odd = self._with_oddities(period, here, cells, truth)
        written = lines([odd[c] for c in columns])
        insertions = Insertions()
        share = (first, first + len(here), len(rows))
        self._add_bad(period, cells, share, insertions, truth)
        self._add_duplicates(period, written, share, insertions, truth)
        self._add_superseded(period, share, insertions, truth)
        return _inserted(written, insertions)

    def _with_oddities(
        self, period: str, here: Ints, cells: dict[str, pa.Array], truth: FileTruth
    ) -> dict[str, pa.Array]:
        changed = dict(cells)
        low, high = int(here.min()), int(here.max())
        taken: set[tuple[str, int]] = set()
        for name, (column, rewrite, rows) in self.odd.items():
            if column not in cells:
                continue
            near = rows[np.searchsorted(rows, low) : np.searchsorted(rows, high, side="right")]
            places = np.flatnonzero(np.isin(here, near))
            places = np.array(
                [p for p in places.tolist() if (column, p) not in taken], dtype=np.int64
            )
            taken.update((column, int(p)) for p in places)
            if name == "person spelled otherwise" and period in self.extract.encodings:
                continue
            before = (
                changed[column].take(pa.array(places)).to_pylist() if column == "ELEMENT" else []
            )
            truth.defects[name] += _rewrite(changed, column, places, rewrite, here)
            if column == "ELEMENT":
                after = changed[column].take(pa.array(places)).to_pylist()
                self.variants.update((a, b) for a, b in zip(after, before, strict=True) if a != b)
        if period in self.extract.encodings:
            places = np.flatnonzero(self.draws.uniform("windows", here) < 0.05)
            notes = lambda text, turn: quoted(WINDOWS_NOTES[turn % 4].format(text.strip('"')))  # noqa: E731
            truth.defects["not ASCII"] += _rewrite(
                changed, "SERVICE_DESCRIPTION", places, notes, here
            )
        return changed

    def _add_bad(
        self,
        period: str,
        cells: dict[str, pa.Array],
        share: tuple[int, int, int],
        insertions: Insertions,
        truth: FileTruth,
    ) -> None:
        as_of = EPOCH + timedelta(days=self.extract.as_of[period])
        columns = self.order(period)
        for name, count in self.plan[period].items():
            kind = self.kinds[period][name]
            rng = self.draws.generator(f"bad {period} {name}")
            sources = np.sort(rng.integers(0, share[2], count))
            for turn in np.flatnonzero((sources >= share[0]) & (sources < share[1])).tolist():
                at = int(sources[turn]) - share[0]
                bad = {c: cells[c][at].as_py() for c in columns}
                bad[self.extract.layout.identifier] = str(self.extract.spare_identifier + self.used)
                self.used += 1
                spot = planted_defects.Spot(self.extract.layout, as_of, turn)
                insertions.add(at, planted_defects.spoilt_line(kind, bad, spot))
                truth.reasons[kind.reason] += 1
                truth.defects[name] += 1

    def _add_duplicates(
        self,
        period: str,
        written: pa.Array,
        share: tuple[int, int, int],
        insertions: Insertions,
        truth: FileTruth,
    ) -> None:
        count = round(DUPLICATE_RATE * share[2]) or int(share[2] >= planted_defects.LEAST_FILE)
        rng = self.draws.generator(f"duplicate {period}")
        sources = np.sort(rng.choice(share[2], count, replace=False))
        after = rng.integers(1, 2_000, count)
        here = (sources >= share[0]) & (sources < share[1])
        for source, gap in zip(sources[here].tolist(), after[here].tolist(), strict=True):
            at = source - share[0]
            insertions.add(min(at + gap, len(written)), written[at].as_py())
            truth.rows_duplicate += 1

    def _add_superseded(
        self, period: str, share: tuple[int, int, int], insertions: Insertions, truth: FileTruth
    ) -> None:
        """Puts earlier versions of records of the next file into this one, over all its pieces."""
        following = self.extract.periods.index(period) + 1
        if not self.extract.yearly or following == len(self.extract.periods):
            return
        later = self.extract.rows_of(self.extract.periods[following])
        starts = self.extract.starts(later)
        able = np.flatnonzero(starts < self.extract.as_of[period] - 10)
        count = min(
            round(SUPERSEDED_RATE * share[2]) or int(share[2] >= planted_defects.LEAST_FILE),
            len(able) // 2,
        )
        rng = self.draws.generator(f"superseded {period}")
        rows = later[np.sort(rng.choice(able, count, replace=False))]
        places = rng.integers(0, share[2], count)
        shares = rng.random(count)
        here = (places >= share[0]) & (places < share[1])
        rows, places, shares = rows[here], places[here], shares[here]
        low = np.maximum(
            self.extract.starts(rows), day(int(years(np.array([self.extract.as_of[period]]))[0]))
        )
        ends = low + np.floor(shares * (self.extract.as_of[period] + 1 - low)).astype(np.int64)
        cells = self.extract.render(rows, period)
        cells[str(self.extract.layout.end)] = dates(ends)
        for place, line in zip(
            places.tolist(), lines([cells[c] for c in self.order(period)]).to_pylist(), strict=True
        ):
            insertions.add(place - share[0], line)
        truth.rows_superseded += len(rows)


def _rewrite(
    cells: dict[str, pa.Array],
    column: str,
    places: Ints,
    rewrite: Callable[[str, int], str],
    rows: Ints,
) -> int:
    """Rewrites the cells of a column at some places; returns the number of changed cells."""
    before = cells[column].take(pa.array(places)).to_pylist()
    after = [rewrite(text, int(row)) for text, row in zip(before, rows[places], strict=True)]
    mask = np.zeros(len(cells[column]), dtype=bool)
    mask[places] = True
    cells[column] = pc.replace_with_mask(
        cells[column], pa.array(mask), pa.array(after, type=pa.string())
    )
    return sum(old != new for old, new in zip(before, after, strict=True))


def _inserted(written: pa.Array, insertions: Insertions) -> pa.Array:
    """The lines with the insertions at their places."""
    if not insertions.places:
        return written
    extra = pa.array(insertions.texts, type=pa.string())
    order = np.insert(
        np.arange(len(written)), insertions.places, len(written) + np.arange(len(extra))
    )
    return pa.concat_arrays([written, extra]).take(pa.array(order))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
