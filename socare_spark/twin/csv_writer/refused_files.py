"""Files that must be refused whole, as extracts of years before the first good one. The default
twin has none of them.
"""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from socare_spark.twin.csv_writer.extract import Extract
from socare_spark.twin.csv_writer.extract_writer import sha256_of

ROWS = 120
SPOILT_EVERY = 9


def write_refused(extract: Extract, folder: Path) -> dict[str, dict[str, Any]]:
    """Writes one file for each way of being refused and returns the truth about them by relative
    path.
    """
    good = _good_lines(extract)
    header = ",".join(extract.columns_of[extract.periods[0]])
    found: dict[str, dict[str, Any]] = {}
    for year, why, suffix in (
        (1994, "column_missing", ".csv"),
        (1995, "column_doubled", ".csv"),
        (1996, "empty", ".csv"),
        (1997, "header_absent", ".csv"),
        (1998, "encoding", ".csv"),
        (1999, "gzip_cut_short", ".csv.gz"),
        (2000, "gate", ".csv"),
    ):
        body = [line.replace("YEAR", str(year)) for line in good]
        path = folder / extract.dataset / f"{extract.dataset}_{year}{suffix}"
        path.write_bytes(_content(why, header, body))
        found[f"{extract.dataset}/{path.name}"] = {
            "sha256": sha256_of(path), "status": "refused", "why": why, "rows_read": None,
            "rows_kept": 0, "rows_quarantined": None, "rows_duplicate": None, "rows_superseded": 0,
            "reasons": {},
        }  # fmt: skip
    return found


def _good_lines(extract: Extract) -> list[str]:
    """Lines of grown-up people with identifiers of their own; the year of their dates is left
    open.
    """
    period = extract.periods[-1]
    rows = extract.rows_of(period)
    cells = extract.render(rows, period)
    born = np.array(cells["DOB"].to_pylist())
    chosen = np.flatnonzero(born < "1960")[:ROWS]
    names = extract.columns_of[period]
    found = []
    for number, line in enumerate(
        zip(*(cells[c].take(chosen).to_pylist() for c in names), strict=True)
    ):
        row = dict(zip(names, line, strict=True))
        row[extract.layout.identifier] = str(extract.spare_identifier + 4_000_000 + number)
        row[extract.layout.start] = f"YEAR-0{1 + number % 6}-1{number % 10}"
        row[str(extract.layout.end)] = f"YEAR-1{number % 3}-0{1 + number % 9}"
        found.append(",".join(row.values()) + "\n")
    return found


def _content(why: str, header: str, body: list[str]) -> bytes:
    """The bytes of the file; each is wrong in one way only."""
    text = header + "\n" + "".join(body)
    packed = gzip.compress(text.encode(), mtime=0)
    spoilt = [
        line.replace(",M,", ",X,").replace(",F,", ",X,") if i % SPOILT_EVERY == 0 else line
        for i, line in enumerate(body)
    ]
    return {
        "empty": b"",
        "header_absent": "".join(body).encode(),
        "column_missing": text.replace(",ELEMENT,", ",PRODUCT,", 1).encode(),
        "column_doubled": text.replace("CLIENT_GROUP", "GENDER", 1).encode(),
        "encoding": text.replace(",Older Adult\n", ",Retraité\n", 5).encode("cp1252"),
        "gzip_cut_short": packed[: len(packed) * 2 // 3],
        "gate": (header + "\n" + "".join(spoilt)).encode(),
    }[why]
