"""The zip for workers holds what their tasks import."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts.zip_package import zip_package

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    (root / "socare_spark").symlink_to(ROOT / "socare_spark")
    return zip_package(root)


def test_zip_holds_the_package_without_the_generator_of_synthetic_data(packed):
    names = set(zipfile.ZipFile(packed).namelist())
    sources = {p.relative_to(ROOT).as_posix() for p in (ROOT / "socare_spark").rglob("*.py")}
    generator = {name for name in sources if name.startswith("socare_spark/twin/")}
    assert generator
    assert names == sources - generator


def test_worker_imports_the_package_from_the_zip(packed, tmp_path):
    code = "import socare_spark.measures.text_clusters as m; print(m.__file__)"
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(packed), "PATH": ""}
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{packed}/")
