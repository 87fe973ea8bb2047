"""A landing folder on a store: it must be a folder, and its files must not change during a run."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from socare_spark.storage.landing import Landing
from socare_spark.storage.storage import StoredFile


@dataclass
class Store:
    """A storage that is on no disk, with the methods that a landing folder uses."""

    sizes: dict = field(default_factory=lambda: {"a/1.csv": 5, "b.csv": 7})
    is_one_file: bool = False
    disk = None

    def names(self, folder=""):
        return sorted({name.partition("/")[0] for name in self.sizes})

    def is_file(self, name):
        return self.is_one_file if name == "" else name in self.sizes

    def files(self):
        return [StoredFile(name, size, 0.0) for name, size in self.sizes.items()]

    def mirror(self):
        return Path("copies")

    def uri(self, name):
        return f"s3a://bucket/landing/{name}"


def test_executors_read_the_uri_of_a_copied_file():
    landing = Landing(Store())
    assert landing.exists()
    assert landing.uri(Path("copies/a/1.csv")) == "s3a://bucket/landing/a/1.csv"


def test_a_file_and_a_missing_folder_are_no_landing_folder():
    assert not Landing(Store(is_one_file=True)).exists()
    assert not Landing(Store(sizes={})).exists()


@pytest.mark.parametrize("after", [{"a/1.csv": 6}, {"a/1.csv": None}])
def test_files_that_change_after_they_were_copied_are_named(after):
    store = Store()
    landing = Landing(store)
    assert landing.changed_files() == []
    assert landing.folder == Path("copies")
    store.sizes["new.csv"] = 1
    assert landing.changed_files() == []
    store.sizes = {n: s for n, s in (store.sizes | after).items() if s is not None}
    assert landing.changed_files() == ["a/1.csv"]


def test_files_of_a_disk_are_not_copied(tmp_path):
    (tmp_path / "x.csv").write_text("1")
    landing = Landing(tmp_path)
    assert landing.folder == tmp_path
    (tmp_path / "x.csv").write_text("22")
    assert landing.changed_files() == []
