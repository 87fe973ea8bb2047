"""The marker of a synthetic folder: it vouches for exactly the files that it names."""

import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from socare_spark.errors import NotPermittedError
from socare_spark.ingest import job, synthetic
from socare_spark.ingest.synthetic import MARKER, is_synthetic, marker_files
from socare_spark.ingest.unclaimed_files import unclaimed
from socare_spark.storage.landing import Landing

CONF = Path(__file__).parents[2] / "conf"


def digest(data):
    return hashlib.sha256(data).hexdigest()


FILES = {"truth.json": b"{}", "visits/2015.csv": b"ID\n1\n"}
CONTENT = {
    "version": 1,
    "files": {name: digest(data) for name, data in FILES.items()},
    "not_read": ["truth.json"],
}


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing"
    (folder / "visits").mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    mark(folder, CONTENT)
    return folder


def mark(folder, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / MARKER).write_text(text, "utf-8")


def with_files(**changes):
    return CONTENT | {"files": CONTENT["files"] | changes}


def test_folder_with_exactly_the_named_files_is_synthetic(landing):
    (landing / "empty").mkdir()
    assert is_synthetic(landing)


def test_folder_without_a_marker_is_not_synthetic(landing):
    (landing / MARKER).unlink()
    assert not is_synthetic(landing)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused(landing, name):
    data = bytearray((landing / name).read_bytes())
    data[0] ^= 1
    (landing / name).write_bytes(data)
    assert not is_synthetic(landing)


@pytest.mark.parametrize("name", ["more.csv", "visits/2016.csv", "visits/.hidden", "a/b/c.csv"])
def test_added_file_is_refused(landing, name):
    (landing / name).parent.mkdir(parents=True, exist_ok=True)
    (landing / name).write_bytes(b"")
    assert not is_synthetic(landing)


@pytest.mark.parametrize("name", FILES)
def test_removed_file_is_refused(landing, name):
    (landing / name).unlink()
    assert not is_synthetic(landing)


def test_link_to_a_folder_is_refused(landing, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "2016.csv").write_bytes(b"ID\n2\n")
    (landing / "more").symlink_to(tmp_path / "real")
    assert not is_synthetic(landing)


def test_link_to_nothing_is_refused(landing):
    (landing / "more.csv").symlink_to("nowhere.csv")
    assert not is_synthetic(landing)


def test_file_that_cannot_be_read_is_refused_and_reported(landing, tmp_path, monkeypatch):
    def unreadable(_path):
        raise PermissionError

    monkeypatch.setattr(synthetic, "sha256_of", unreadable)
    assert not is_synthetic(landing)
    assert "truth.json" in unclaimed(landing, tmp_path, [], [])


def test_named_pipe_is_refused_without_reading_it(landing):
    os.mkfifo(landing / "pipe")
    mark(landing, with_files(pipe=digest(b"")))
    assert not is_synthetic(landing)


def test_marker_that_is_a_folder_is_refused(landing):
    (landing / MARKER).unlink()
    (landing / MARKER).mkdir()
    assert not is_synthetic(landing)


def test_marker_in_another_encoding_is_refused(landing):
    (landing / MARKER).write_text(json.dumps(CONTENT), "utf-16")
    assert not is_synthetic(landing)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        json.dumps(CONTENT)[:-1],
        "[" * 100_000,
        "null",
        [CONTENT],
        {},
        {"version": 1},
        {"files": CONTENT["files"]},
        CONTENT | {"version": 2},
        CONTENT | {"version": "1"},
        CONTENT | {"version": 1.0},
        CONTENT | {"version": True},
        CONTENT | {"version": None},
        CONTENT | {"files": list(CONTENT["files"])},
        CONTENT | {"files": None},
        CONTENT | {"not_read": "truth.json"},
        CONTENT | {"not_read": {"truth.json": 1}},
        CONTENT | {"more": 1},
        with_files(**{"truth.json": None}),
        with_files(**{"truth.json": 0}),
        with_files(**{"truth.json": digest(b"{}").upper()}),
        with_files(**{"truth.json": digest(b"{}")[:-1]}),
        with_files(**{"truth.json": digest(b"{}") + "\n"}),
        with_files(**{MARKER: digest(b"")}),
    ],
)
def test_malformed_marker_is_refused(landing, content):
    mark(landing, content)
    assert not is_synthetic(landing)


@pytest.mark.parametrize("form", ["../landing/{}", "./{}", "{}/", "visits/../{}", "{folder}/{}"])
def test_path_that_is_not_below_the_folder_is_refused(landing, form):
    name = form.format("truth.json", folder=landing)
    files = {name if n == "truth.json" else n: d for n, d in CONTENT["files"].items()}
    mark(landing, CONTENT | {"files": files})
    assert not is_synthetic(landing)


def test_path_of_a_file_outside_the_folder_is_refused(landing):
    (landing.parent / "outside.csv").write_bytes(b"ID\n")
    mark(landing, with_files(**{"../outside.csv": digest(b"ID\n")}))
    assert not is_synthetic(landing)


def test_ingest_passes_over_the_marker_and_the_files_it_declares(landing, tmp_path):
    assert set(unclaimed(landing, tmp_path, [], [])) == {"visits/2015.csv"}


@pytest.mark.parametrize("content", ["no JSON", CONTENT | {"not_read": []}])
def test_ingest_passes_over_the_marker_alone(landing, tmp_path, content):
    mark(landing, content)
    assert set(unclaimed(landing, tmp_path, [], [])) == {"truth.json", "visits/2015.csv"}


def test_declared_file_of_other_content_is_reported(landing, tmp_path):
    (landing / "truth.json").write_bytes(b"[]")
    assert "truth.json" in unclaimed(landing, tmp_path, [], [])


def test_declared_path_outside_the_folder_is_passed_over(landing):
    (landing.parent / "outside.csv").write_bytes(b"ID\n")
    files = {"../outside.csv": digest(b"ID\n")}
    mark(landing, CONTENT | {"files": files, "not_read": ["../outside.csv", "truth.json"]})
    assert marker_files(landing) == {MARKER}


def test_ingest_refuses_the_demo_key_for_a_folder_that_is_not_synthetic(landing, monkeypatch):
    (landing / "more.csv").write_bytes(b"")
    monkeypatch.setenv("SOCARE_KEY", "demo")
    context = SimpleNamespace(landing=Landing(landing), conf=CONF, withdraw=None, only=())
    with pytest.raises(NotPermittedError, match="demo key"):
        job.run(context)
