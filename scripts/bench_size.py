"""Runs large inputs with a small driver: writes each input and submits its jobs.

    SOCARE_DRIVER_MEMORY=2g python scripts/bench_size.py FOLDER [long_case|quarantined|contested]...

Prints seconds, exit code and peak memory of Java and of Python for each run.
"""

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import yaml

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = {
    "name": "events",
    "schema": {
        "primaryKey": ["ID"],
        "fields": [
            {"name": "ID", "constraints": {"required": True}, "socare": {"keep": "as_is"}},
            {"name": "CASE", "socare": {"keep": "as_is", "as": "case_name"}},
            {"name": "DAY", "type": "date", "socare": {"keep": "as_is"}},
            {"name": "KIND", "socare": {"keep": "as_is"}},
        ],
    },
    "socare": {"files": r"events/(?P<period>\d{4})\.csv", "gate": 1.0},
}
FLOW = {
    "flow": "events",
    "title": "Events",
    "log": {"dataset": "events", "case": "case_name", "time": "day", "activity": "kind"},
}
ARGUMENTS = ("--landing", "landing", "--lake", "lake", "--conf", "conf")
KEY = {"SOCARE_KEY": "ab" * 32}
_PART = 1_000_000


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(BENCHES), metavar="name")
    parser.add_argument("--rows", type=int, help="number of rows (default: that of the benchmark)")
    parser.add_argument(
        "--submit", default=str(ROOT / "scripts" / "submit"), help="command that submits a job"
    )
    options = parser.parse_args()
    for name in options.names:
        folder = options.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        write_configuration(folder / "conf")
        make, rows, jobs = BENCHES[name]
        make(folder / "landing" / "events", options.rows or rows)
        for job in jobs:
            print(f"{name}, {job}: {timed(options.submit, job, folder)}", flush=True)


def write_configuration(conf: Path) -> None:
    """Writes a configuration with one dataset and one flow."""
    shutil.copytree(ROOT / "conf", conf)
    shutil.rmtree(conf / "datasets")
    shutil.rmtree(conf / "flows")
    for name, content in (("datasets", CONTRACT), ("flows", FLOW)):
        (conf / name).mkdir()
        (conf / name / "events.yaml").write_text(yaml.safe_dump(content), "utf-8")


def long_case(folder: Path, rows: int) -> None:
    """Writes one case of all rows and a hundred short cases."""
    numbers = np.arange(rows + 500)
    case = np.where(numbers < rows, 0, 1 + numbers % 100)
    write(folder / "2015.csv", numbers, case=case, days=numbers % 364, kinds=numbers % 7)


def quarantined(folder: Path, rows: int) -> None:
    """Writes rows with an invalid day, and ten valid rows."""
    numbers = np.arange(rows + 10)
    days = np.where(numbers < rows, -1, numbers % 364)
    write(folder / "2015.csv", numbers, case=numbers, days=days, kinds=numbers % 7)


def contested(folder: Path, rows: int) -> None:
    """Writes two extracts with the same keys and a different kind in each."""
    numbers = np.arange(rows)
    for year in (2015, 2016):
        write(folder / f"{year}.csv", numbers, case=numbers, days=0, kinds=year - 2015)


def write(path: Path, ids: np.ndarray, *, case: np.ndarray, days: object, kinds: object) -> None:
    """Writes a file of events. A day below 0 is written as an invalid text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    every = [np.broadcast_to(values, ids.shape) for values in (case, days, kinds)]
    day = np.array([*map(str, np.datetime64("2015-01-01") + np.arange(365)), "no day"])
    schema = pa.schema([(name, pa.string()) for name in ("ID", "CASE", "DAY", "KIND")])
    with pyarrow.csv.CSVWriter(path, schema) as file:
        for at in range(0, len(ids), _PART):
            part = slice(at, at + _PART)
            cases, days_, kinds_ = (values[part] for values in every)
            columns = [ids[part].astype(str), cases.astype(str), day[days_], kinds_.astype(str)]
            file.write_table(pa.table([pa.array(c) for c in columns], schema=schema))


def timed(submit: str, job: str, folder: Path) -> str:
    """Runs a job. Returns its exit code, seconds and peak memory as text."""
    began, most = time.monotonic(), {"java": 0, "python": 0}
    with (folder / f"{job.split(maxsplit=1)[0]}.log").open("wb") as log:
        run = subprocess.Popen(  # noqa: S603 - its own command
            [*submit.split(), *job.split(), *ARGUMENTS],
            cwd=folder, env=KEY | os.environ, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        while run.poll() is None:
            for kind, size in memory(run.pid):
                most[kind] = max(most[kind], size)
            time.sleep(0.2)
    used = ", ".join(f"{kind} {size / 1e6:.2f} GB" for kind, size in most.items())
    return f"exit {run.returncode}, {time.monotonic() - began:.0f} s, peak memory: {used}"


def memory(session: int) -> Iterator[tuple[str, int]]:
    """Yields the peak memory in kB of each Java and Python process of a session."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) != session:
                continue
            status = (folder / "status").read_text()
        except OSError:
            continue  # the process has ended
        fields = dict(line.split(":", 1) for line in status.splitlines())
        kind = next((k for k in ("java", "python") if fields["Name"].strip().startswith(k)), None)
        if kind and "VmHWM" in fields:
            yield kind, int(fields["VmHWM"].split()[0])


Bench = tuple[Callable[[Path, int], None], int, tuple[str, ...]]
BENCHES: dict[str, Bench] = {
    "long_case": (long_case, 200_000, ("ingest", "flow")),
    "quarantined": (quarantined, 2_000_000, ("ingest", "study --show")),
    "contested": (contested, 25_000_000, ("ingest",)),
}

if __name__ == "__main__":
    main()
