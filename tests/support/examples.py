"""Runs jobs with a configuration of conf/examples on a landing folder."""

from pathlib import Path

from rich.console import Console

from socare_spark.analysis import Context
from socare_spark.lake.lake import Lake
from socare_spark.registry import JOBS
from socare_spark.storage.landing import Landing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).resolve().parents[2] / "conf" / "examples"
_KEY = "22" * 32


class Example:
    """An example of conf/examples with a landing folder and a lake of its own."""

    def __init__(self, spark, name, root, monkeypatch):
        self.spark, self.conf, self.lake = spark, CONF / name, Lake(root / "lake")
        self.landing = root / "landing"
        self.landing.mkdir(parents=True)
        monkeypatch.setenv("SOCARE_KEY", _KEY)

    def lands(self, name, content):
        """Puts a file into the landing folder: lines of text, bytes, or a file to link to."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text("\n".join([*content, ""]), "utf-8")

    def runs(self, *names):
        """Runs jobs in turn; returns the warnings."""
        warnings = []
        for name in names:
            (job,) = (job for job in JOBS if job.name == name)
            run = Run(name, self.lake.storage, {})
            quiet = Progress(Console(quiet=True))
            context = Context(
                self.spark, self.lake, self.conf, Landing(self.landing), None, run, quiet
            )
            job.run(context)
            warnings += run.warnings
        return warnings

    def rows(self, table, *columns):
        """Rows of a table as sorted tuples."""
        frame = self.lake.read(self.spark, table).select(*columns)
        return sorted((tuple(row) for row in frame.collect()), key=str)
