"""A council in a folder: contracts, landing and lake, and `ingest` run on it in this process."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from lakes import upload
from rich.console import Console

from socare_spark.analysis import Context
from socare_spark.errors import DataError
from socare_spark.ingest import job as ingest_job
from socare_spark.lake.lake import Lake
from socare_spark.storage.hadoop import HadoopStorage
from socare_spark.storage.landing import Landing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

KEY = "11" * 32

VISITS = {
    "name": "visits",
    "schema": {
        "primaryKey": ["ID"],
        "missingValues": ["", "NULL"],
        "fields": [
            {"name": "ID", "constraints": {"required": True}, "socare": {"keep": "as_is"}},
            {
                "name": "PERID",
                "constraints": {"required": True},
                "socare": {"pseudonymise": "person", "as": "person"},
            },
            {
                "name": "DOB",
                "type": "date",
                "socare": {
                    "degrade": "month",
                    "as": "birth_month",
                    "optional": True,
                    "age": {"at": "START", "as": "age_at_start"},
                },
            },
            {
                "name": "START",
                "type": "date",
                "alsoFormats": ["%d/%m/%Y"],
                "constraints": {"required": True},
                "socare": {"keep": "as_is"},
            },
            {"name": "END", "type": "date", "socare": {"keep": "as_is", "optional": True}},
            {
                "name": "COST",
                "type": "number",
                "groupChar": ",",
                "bareNumber": False,
                "socare": {"keep": "as_is", "optional": True},
            },
            {
                "name": "SEX",
                "constraints": {"enum": ["F", "M"]},
                "socare": {"keep": "as_is", "optional": True},
            },
            {"name": "POSTCODE", "socare": {"keep": "postcode", "optional": True}},
            {"name": "NOTE", "socare": {"keep": "as_is", "optional": True}},
            {"name": "SURNAME", "socare": {"drop": True}},
        ],
    },
    "socare": {
        "files": r"visits/(?P<period>\d{4}(-\d{2})?)(_(?P<area>[a-z]+))?\.csv(\.gz)?",
        "date_order": [{"first": "START", "then": "END"}],
        "not_after_extract": ["DOB", "START", "END"],
        "encodings": [{"from": "1999", "to": "1999", "encoding": "windows-1252"}],
        "gate": 0.6,
    },
}
HEADER = "ID,PERID,DOB,START,END,COST,SEX,POSTCODE,NOTE,SURNAME"
PROJECT = {
    "council": "testshire",
    "project": "tests",
    "key_id": "k1",
    "schemes": {
        "person": {
            "person": True,
            "strip_leading_zeros": True,
            "placeholders": ["", "0", "UNKNOWN"],
        }
    },
}


@dataclass
class Council:
    """Folders and what the last run recorded."""

    spark: object
    root: Path
    contract: dict = field(default_factory=lambda: yaml.safe_load(yaml.safe_dump(VISITS)))
    run: Run | None = None

    def __post_init__(self):
        self.landing, self.conf = self.root / "landing", self.root / "conf"
        (self.conf / "datasets").mkdir(parents=True)
        (self.landing / "visits").mkdir(parents=True)
        (self.conf / "project.yaml").write_text(yaml.safe_dump(PROJECT))
        self.lake = Lake(self.root / "lake")

    def lands(self, name, *rows, header=HEADER, encoding="utf-8"):
        """Puts a file with these lines into the landing folder."""
        text = "\n".join([header, *rows]) + "\n"
        (self.landing / "visits" / name).write_bytes(text.encode(encoding))

    def context(self):
        """What a job runs with; a new run each time."""
        path = self.conf / "datasets" / f"{self.contract['name']}.yaml"
        path.write_text(yaml.safe_dump(self.contract))
        self.run = Run("ingest", self.lake.storage, {})
        quiet = Progress(Console(quiet=True))
        return Context(self.spark, self.lake, self.conf, self.landed(), None, self.run, quiet)

    def landed(self):
        """The landing folder of the next run."""
        return Landing(self.landing)

    def ingests(self, monkeypatch):
        """Runs ingest; returns what was refused as text, or an empty one."""
        monkeypatch.setenv("SOCARE_KEY", KEY)
        try:
            ingest_job.run(self.context())
        except DataError as refused:
            return str(refused)
        return ""

    def rows(self, *columns, table="restricted/visits"):
        """Rows of a table as sorted tuples; none where there is no table."""
        if not self.lake.exists(table):
            return []
        frame = self.lake.read(self.spark, table)
        return sorted((tuple(r) for r in frame.select(*columns).collect()), key=str)

    def ledger(self):
        """File -> (status, read, kept, quarantined, duplicate, superseded), as it stands."""
        frame = self.lake.read(self.spark, "restricted/ledger").orderBy("sequence")
        return {
            r["file"].removeprefix("visits/"): (
                r["status"],
                r["rows_read"],
                r["rows_kept"],
                r["rows_quarantined"],
                r["rows_duplicate"],
                r["rows_superseded"],
            )
            for r in frame.collect()
            if r["status"] != "replaced"
        }

    def versions(self):
        """Version of every Delta table of the lake."""
        logs = sorted(self.lake.storage.root.rglob("_delta_log"))
        names = [str(p.parent.relative_to(self.lake.storage.root)) for p in logs]
        return {name: self.lake.version(name) for name in names}

    def fingerprint(self):
        """A digest of every file of the lake but run records and the lock."""
        digest = hashlib.sha256()
        for path in sorted(
            p for p in (self.lake.storage.root / "restricted").rglob("*") if p.is_file()
        ):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()


@dataclass
class RemoteCouncil(Council):
    """A council whose lake and landing folder are in a store.

    Attributes:
        store: URI of the folder that contains them.
    """

    store: str = ""

    def __post_init__(self):
        super().__post_init__()
        self.lake = Lake(self.storage("lake"))

    def storage(self, name):
        """A folder in the store."""
        return HadoopStorage(self.spark, f"{self.store}/{name}", self.root / "scratch" / name)

    def landed(self):
        """The landing folder with the files of `landing`."""
        storage = self.storage("landing")
        storage.remove_tree("visits")
        upload(self.landing, storage)
        shutil.rmtree(self.root / "scratch" / "landing", ignore_errors=True)
        return Landing(storage)
