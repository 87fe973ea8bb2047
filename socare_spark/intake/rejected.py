"""The lines that were not kept, with their reasons, beside the landing folder.

Raw data stays where raw data already is: `rejected/` lies next to `landing/`, never in the lake. A
line is given back byte by byte as it stood, so that it can be mended and sent again.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from socare_spark.intake.arrivals import Accepted, Arrival
from socare_spark.intake.checks import broken
from socare_spark.intake.preflight import record_bytes


def rejected_folder(landing: Path) -> Path:
    """Where rejected lines go: beside the landing folder."""
    return landing.resolve().parent / "rejected"


def write_rejected(
    landing: Path,
    file: Accepted,
    bad: pd.DataFrame,
    names: Sequence[tuple[str, str]],
) -> None:
    """Writes the rejected lines of a file, or removes what an earlier state of it left.

    Args:
        landing: The landing folder.
        file: The file.
        bad: `line` and the rule bits of each rejected row, by line.
        names: Reason code and column of each rule.
    """
    path = _path(landing, file.arrival, ".rejected.csv")
    _path(landing, file.arrival, ".refused.txt").unlink(missing_ok=True)
    if bad.empty:
        path.unlink(missing_ok=True)
        return
    encoding, delimiter = file.arrival.encoding, file.arrival.contract.dialect.delimiter
    lines = np.concatenate([[0], bad["line"].to_numpy(np.int64)])
    records = record_bytes(file.arrival.path, lines, file.look, encoding, delimiter)
    words = [c for c in bad.columns if c.startswith("_mask")]
    reasons = ["reasons", *(_spelled(broken(row, names)) for row in bad[words].to_numpy().tolist())]
    ordinals: list[object] = ["line", *bad["line"].tolist()]
    _write(
        path,
        (
            f"{line}{delimiter}{reason}{delimiter}".encode() + record + b"\n"
            for line, reason, record in zip(ordinals, reasons, records, strict=True)
        ),
    )


def write_refused(landing: Path, arrival: Arrival, why: str) -> None:
    """Leaves the sentence that says why a whole file was refused."""
    _write(_path(landing, arrival, ".refused.txt"), [f"{arrival.name}: {why}.\n".encode()])


def _spelled(found: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{code}:{column}" if column else code for code, column in found)


def _path(landing: Path, arrival: Arrival, ending: str) -> Path:
    return rejected_folder(landing) / f"{arrival.name}{ending}"


def _write(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.writelines(lines)
    os.replace(partial, path)
