"""Compares ingest with a plain write of the same file, and one month with all earlier months."""

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from pyspark.sql import SparkSession
from rich.console import Console

from socare_spark.analysis import Context
from socare_spark.ingest.job import run as ingest
from socare_spark.lake.lake import Lake
from socare_spark.session import open_session
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).resolve().parents[1] / "conf"
COLUMNS = (
    "ADEID string, PERID string, DOB date, AGREEMENT_START date, AGREEMENT_END date, "
    "SERVICE string, SERVICE_DESCRIPTION string, ELEMENT string, ELEMENT_DESCRIPTION string, "
    "WEEKLY_COST decimal(12,2), POSTCODE string, GENDER string, ETHNICITY string, "
    "CLIENT_GROUP string"
)


def write_extract(path: Path, year: int, first: int, rows: int, again: int = 0) -> None:
    """Writes a file of agreements that ended in a year. Its first `again` rows have known ids."""
    draw = np.random.default_rng(year * 1_000 + first % 997)
    rows += again
    ids = np.arange(first - again, first - again + rows)
    end = np.datetime64(f"{year}-01-01") + draw.integers(0, 365, rows)
    start = end - draw.integers(1, 900, rows)
    born = start - draw.integers(19 * 365, 95 * 365, rows)
    kind = draw.integers(0, 40, rows)

    def text(values: np.ndarray) -> pa.Array:
        return pa.array(values.astype(str))

    def of(words: list[str]) -> pa.Array:
        return pa.array(np.array(words)[kind % len(words)])

    columns = {
        "ADEID": text(ids + 20_000_000),
        "PERID": text(200_000 + ids % max(rows // 3, 1)),
        "DOB": text(born),
        "AGREEMENT_START": text(start),
        "AGREEMENT_END": text(end),
        "SERVICE": of(["HOME", "DAYC", "RESP", "ENAB", "RESA"]),
        "SERVICE_DESCRIPTION": of(["Home Support", "Day Care", "Respite Care", "Enablement"]),
        "ELEMENT": of(["OAEHSGCO", "HSSU65PL", "OAIHSENB", "PDEHSUPP", "LDEHSQDS", "CHEFODIS"]),
        "ELEMENT_DESCRIPTION": of(
            ["Older Adults, External, General Contracted", "Home Support, 65 Plus, External"]
        ),
        "WEEKLY_COST": pa.array(np.round(draw.uniform(20, 900, rows), 2).astype(str)),
        "POSTCODE": pa.array([f"B{1 + k} {1 + k % 9}A{'ABDEF'[k % 5]}" for k in kind.tolist()]),
        "GENDER": of(["F", "M"]),
        "ETHNICITY": of(["White: British", "Asian: Pakistani", "Black: Caribbean"]),
        "CLIENT_GROUP": of(["Older Adult", "Physical Disability", "Learning Disability"]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.csv.write_csv(pa.table(columns), path)


def plainly(spark: SparkSession, file: Path, target: Path) -> None:
    """Writes typed columns directly to a Delta table."""
    shutil.rmtree(target, ignore_errors=True)
    frame = spark.read.schema(COLUMNS).csv(
        str(file), header=True, quote='"', escape='"', encoding="utf-8", mode="PERMISSIVE"
    )
    frame.write.format("delta").save(str(target))


def by_ingest(spark: SparkSession, landing: Path, conf: Path, lake: Path) -> None:
    """Runs ingest as the job does."""
    quiet = Progress(Console(quiet=True))
    run = Run("ingest", LocalStorage(lake), {})
    ingest(Context(spark, Lake(lake), conf, Landing(landing), None, run, quiet))


def timed(work: Callable[[], None]) -> float:
    """Returns the seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def only(contract: str, folder: Path) -> Path:
    """Makes a configuration with one contract. Returns its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "datasets").mkdir(parents=True)
    shutil.copy(CONF / "project.yaml", folder)
    text = (CONF / "datasets" / f"{contract}.yaml").read_text("utf-8")
    # Periods are months, so that a hundred files are possible.
    text = text.replace(r"(?P<period>\d{4})", r"(?P<period>\d{4}(-\d{2})?)")
    (folder / "datasets" / f"{contract}.yaml").write_text(text, "utf-8")
    return folder


def bench_ingest(spark: SparkSession, folder: Path, rows: int) -> None:
    """Measures the cost of checks, pseudonyms, counts and unique keys."""
    landing, conf = folder / "landing", only("agreements_costed", folder / "conf")
    file = landing / "agreements_costed" / "agreements_costed_2015.csv"
    write_extract(file, 2015, 0, rows)
    size = file.stat().st_size / 1e6
    plain, ours = [], []
    for _ in range(4):
        plain.append(timed(lambda: plainly(spark, file, folder / "plain")))
        shutil.rmtree(folder / "lake", ignore_errors=True)
        ours.append(timed(lambda: by_ingest(spark, landing, conf, folder / "lake")))
    plain_median, our_median = statistics.median(plain[1:]), statistics.median(ours[1:])
    print(
        f"ingest of {rows:,} rows ({size:.0f} MB): {our_median:.1f} s, plain write "
        f"{plain_median:.1f} s, ratio {our_median / plain_median:.2f} (medians of three "
        "alternating runs after a warm-up)"
    )


def bench_month(spark: SparkSession, folder: Path, rows: int) -> None:
    """Compares one more file with a load of all earlier files, in a warm session."""
    landing, conf = folder / "landing", only("agreements_costed", folder / "conf")
    part = rows // 100
    months = [f"{2007 + i // 12}-{1 + i % 12:02d}" for i in range(104)]

    def land(i: int, again: int) -> None:
        name = f"agreements_costed/agreements_costed_{months[i]}.csv"
        write_extract(landing / name, int(months[i][:4]) - 1, i * part, part, again=again)

    for i in range(100):
        land(i, 0)
    cold = timed(lambda: by_ingest(spark, landing, conf, folder / "warm"))
    whole = timed(lambda: by_ingest(spark, landing, conf, folder / "lake"))
    took = []
    for i in range(100, 104):
        land(i, part // 50)
        took.append(timed(lambda: by_ingest(spark, landing, conf, folder / "lake")))
    first, later = took[0], statistics.median(took[1:])
    print(
        f"ingest of {rows:,} rows in 100 files: {whole:.1f} s (first load of the session "
        f"{cold:.1f} s); first new file of {part:,} rows and {part // 50:,} known ones: "
        f"{first:.1f} s, ratio 1 to {whole / first:.1f}; later new files (median of three): "
        f"{later:.1f} s, 1 to {whole / later:.1f}"
    )


def main() -> None:
    """Runs one benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=["ingest", "month"])
    options.add_argument("folder", type=Path)
    options.add_argument("--rows", type=int, default=2_000_000)
    given = options.parse_args()
    os.environ["SOCARE_KEY"] = os.urandom(32).hex()
    shutil.rmtree(given.folder, ignore_errors=True)
    spark = open_session("bench")
    {"ingest": bench_ingest, "month": bench_month}[given.kind](spark, given.folder, given.rows)
    spark.stop()
    shutil.rmtree(given.folder)


if __name__ == "__main__":
    main()
