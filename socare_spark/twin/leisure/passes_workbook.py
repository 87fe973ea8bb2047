"""Writes a workbook of leisure passes with the usual disorder, and the reference sources."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from socare_spark.twin.csv_writer.extract_writer import sha256_of
from socare_spark.twin.draws import Draws
from socare_spark.twin.marker import write_marker
from socare_spark.twin.population.city import City
from socare_spark.twin.population.reference_sources import write_reference

WORKBOOK = "passes/Leisure passes 2015.xlsx"
_ROWS = 400
_CENTRES = ("Nechells Pool", "Fox Hollies", "Wyndley", "Alum Rock")
_TYPES = ("Adult", "Concession", "Junior", "Family")
_SURNAMES = ("Ashdown", "Birchfield", "Caldmore", "Duddeston", "Erdington", "Falcon", "Garrison")
_COMMENTS = (
    "Asked for a letter in large print because of her sight",
    "Lost the pass at the pool and paid for a second one",
    "Comes with his support worker on Tuesday mornings",
)


def write_passes(out: Path, seed: int = 1) -> int:
    """Writes a landing folder with the workbook, postcodes, boundaries and population.

    Args:
        out: The landing folder; it must be new.
        seed: Varies everything that is drawn.

    Returns:
        Number of passes in the workbook.
    """
    out.mkdir(parents=True)
    draws = Draws(seed)
    city = City(draws)
    write_reference(city, out / "reference")
    path = out / WORKBOOK
    path.parent.mkdir()
    _workbook(city, np.random.default_rng(seed)).save(path)
    files = sorted(p for p in out.rglob("*") if p.is_file())
    write_marker(out, {p.relative_to(out).as_posix(): sha256_of(p) for p in files})
    return _ROWS


def _workbook(city: City, random: np.random.Generator) -> Workbook:
    """A sheet of notes, and a sheet with a title, a header in row 4, passes and a total."""
    book = Workbook()
    notes = book.active
    notes.title = "Read me"
    notes.append(["Exported by the leisure team"])
    sheet = book.create_sheet("Passes")
    for row in (["Leisure passes issued in 2015"], ["Internal use only"], []):
        sheet.append(row)
    sheet.append(
        ["Pass No.", "Customer ID", "Surname", "D.O.B.", "Issued", "Home postcode", "Pass type",
         "Leisure centre", "Price", "E-mail", "Comments"]
    )  # fmt: skip
    located = city.postcodes.text[city.postcodes.of("located")]
    for n in range(_ROWS):
        sheet.append(_row(n, str(random.choice(located)), random))
    sheet.append(["Total", *[None] * 10])
    return book


def _row(n: int, postcode: str, random: np.random.Generator) -> list[object]:
    born = date(1930, 1, 1) + timedelta(int(random.integers(0, 28_000)))
    issued = date(2015, 1, 1) + timedelta(int(random.integers(0, 365)))
    customer = int(random.integers(10_000, 99_999))
    price = round(float(random.choice([12.5, 8, 20])), 2)
    return [
        f"LP-{n + 1:05d}",
        customer,
        str(random.choice(_SURNAMES)),
        # Some days were typed as text.
        f"{born:%d/%m/%Y}" if n % 7 == 0 else born,
        issued,
        "N/A" if n % 40 == 0 else postcode.lower() if n % 5 == 0 else postcode,
        str(random.choice(_TYPES)),
        str(random.choice(_CENTRES)),
        f"£{price:.2f}" if n % 3 == 0 else price,
        f"customer{customer}@example.org" if n % 2 else None,
        f"{random.choice(_COMMENTS)}, {issued:%d %B}" if n % 4 == 0 else None,
    ]
