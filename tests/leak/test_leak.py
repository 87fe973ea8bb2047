"""Marked identifiers and the key are looked for in everything that runs leave behind."""

import base64
import json
import shutil
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from processes import ROOT, submit

from socare_spark.contracts.project import read_project
from socare_spark.ingest.pseudonym import Keyring

KEY = bytes.fromhex("5ec2e7" + "a9" * 29)
PERSON = "PX7731904"
RECORD = "RX5520117"
SURNAME = "ZQUIMBLETHORPE"
TYPED = "MRSZQUAMBLE"  # a name typed where a postcode belongs
POSTCODE = "B99 9ZZ"
HEADER = (
    "ADEID,PERID,DOB,AGREEMENT_START,AGREEMENT_END,SERVICE,SERVICE_DESCRIPTION,ELEMENT,"
    "ELEMENT_DESCRIPTION,WEEKLY_COST,POSTCODE,GENDER,ETHNICITY,CLIENT_GROUP,SURNAME"
)
BREAKS = """
import os
import pathlib
from pyspark import SparkConf
from socare_spark.cli import main
from socare_spark.ingest import ledger_entries as books, job

def broken(entries):
    (scratch,) = pathlib.Path(SparkConf().get("spark.local.dir")).iterdir()
    used = any(scratch.glob("blockmgr-*"))
    (scratch.parent.parent / "mode").write_text(f"{scratch.stat().st_mode & 0o777:o} {used}")
    raise RuntimeError("the disk of the ledger fell out")

books.ledger_rows = broken
raise SystemExit(main(job.JOB))
"""


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """Two runs, one of them failing; all that they left and printed."""
    root = tmp_path_factory.mktemp("leak")
    landing = root / "landing" / "agreements_closed"
    landing.mkdir(parents=True)
    dates = "1950-06-15,2014-02-01,2014-09-01"
    good = f"{{}},{{}},{dates},S,s,OAEHSGCO,e,12.50,{POSTCODE},F,W,O,{SURNAME}"
    lines = [good.format(f"{RECORD}{i}", f"{PERSON}{i}") for i in range(40)]
    lines.append(good.format(f"{RECORD}x", f"{PERSON}x").replace(POSTCODE, TYPED))
    text = "\n".join([HEADER, *lines]) + "\n"
    (landing / "agreements_closed_2014.csv").write_text(text)
    key = root / "key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    events = root / "events"
    events.mkdir()
    conf = root / "spark.conf"
    conf.write_text(
        (ROOT / "conf/spark/local.conf").read_text().replace("spark.eventLog.enabled", "#")
        + f"\nspark.local.dir {root / 'scratch'}"
        + f"\nspark.eventLog.enabled true\nspark.eventLog.dir file://{events}\n"
        "spark.eventLog.compress false\nspark.eventLog.rolling.enabled false\n"
    )
    given = {"SOCARE_KEY": "", "SOCARE_KEY_FILE": str(key), "SOCARE_SPARK_CONF": str(conf)}
    # As in production, with generated code.
    given["SOCARE_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
    arguments = ("--landing", root / "landing", "--lake", root / "lake")
    broken = root / "broken.py"
    broken.write_text(BREAKS)
    failed = submit(broken, *arguments, environment=given)
    passed = submit("ingest", *arguments, environment=given)
    modes = {path: path.stat().st_mode for path in (root / "rejected").rglob("*")}
    modes |= {path: path.stat().st_mode for path in (root / "lake").rglob("*")}
    shutil.rmtree(root / "landing")
    shutil.rmtree(root / "rejected")
    key.unlink()
    return root, failed, passed, modes


@pytest.fixture(scope="module")
def texts(traces):
    """The place and the content of every text that the runs left and printed."""
    root, failed, passed, _ = traces
    return list(everything(root, failed, passed))


def everything(root, *processes):
    """Every text a run left: files as they lie, decoded Parquet, databases, and its output."""
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        yield str(path.relative_to(root)), path.read_bytes()
        if path.suffix == ".parquet":
            rows = pq.read_table(path, partitioning=None).to_pylist()
            yield f"{path.name} decoded", json.dumps(rows, default=str).encode()
        if path.suffix == ".db":
            dump = "\n".join(sqlite3.connect(path).iterdump())
            yield f"{path.name} dumped", dump.encode()
    for process in processes:
        yield "output", process.stdout.encode() + process.stderr.encode()


def spellings(secret):
    """A secret raw, in hexadecimal, and as base64 at each of its three alignments."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret).decode().rstrip("=")
        found.add(text[4 if shift else 0 : -1].encode())
    return found


def secrets():
    project = read_project(ROOT / "conf")
    ring = Keyring(KEY, project)
    found = {"the key": KEY, "a person": PERSON.encode(), "a record": RECORD.encode()}
    found |= {"a surname": SURNAME.encode(), "a name as postcode": TYPED.encode()}
    for scheme in project.schemes:
        found[f"the subkey of {scheme}"] = ring.subkey(scheme)
        found[f"the inner pad of {scheme}"] = ring.pads(scheme).inner[:32]
        found[f"the outer pad of {scheme}"] = ring.pads(scheme).outer[:32]
    return found


def test_one_run_failed_and_one_run_passed(traces):
    root, failed, passed, _ = traces
    assert (failed.returncode, passed.returncode) == (1, 0), failed.stderr + passed.stderr
    assert "Traceback" not in failed.stderr + failed.stdout
    logs = list((root / "lake/runs").glob("*/run.log"))
    assert len(logs) == 1
    assert "the disk of the ledger fell out" in logs[0].read_text()
    assert list((root / "events").iterdir())


def test_files_of_a_run_are_for_their_owner_only(traces):
    root, *_, modes = traces
    assert {path.suffix for path in modes} >= {".parquet", ".json", ".csv", ".db"}
    assert [str(path) for path, mode in modes.items() if mode & 0o077] == []
    assert (root / "lake").stat().st_mode & 0o777 == 0o700


def test_spilled_data_are_in_a_folder_of_the_run_that_is_gone(traces):
    root, *_ = traces
    assert (root / "mode").read_text() == "700 True"
    assert list((root / "scratch").iterdir()) == []


@pytest.mark.parametrize("name", sorted(secrets()))
def test_nothing_holds_a_secret(texts, name):
    needles = spellings(secrets()[name])
    holders = [where for where, text in texts if any(needle in text for needle in needles)]
    assert holders == []


def test_the_search_finds_what_a_contract_keeps(texts):
    """The postcode is kept by contract: a search that missed it would find nothing else either."""
    holders = [where for where, text in texts if POSTCODE.encode() in text]
    assert any(where.endswith("decoded") for where in holders)
    files = {Path(where).parts[:2] for where in holders if not where.endswith("decoded")}
    assert files <= {("lake", "restricted")}, files
