"""Zips the package for Spark workers without the checkout, and prints the path of the zip.

scripts/submit calls this before each run on such workers. The zip does not contain
socare_spark/twin, because no job imports the generator of synthetic data.
"""

import os
import sys
import zipfile
from pathlib import Path

_LEFT_OUT = {"twin"}


def zip_package(root: Path) -> Path:
    """Writes build/socare_spark.zip and returns its path."""
    (root / "build").mkdir(exist_ok=True)
    partial = root / "build" / f"socare_spark.{os.getpid()}.zip"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as package:
        for path in _files(root / "socare_spark"):
            package.write(path, path.relative_to(root))
    return partial.rename(root / "build" / "socare_spark.zip")


def _files(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(p for p in files if p.relative_to(folder).parts[0] not in _LEFT_OUT)


if __name__ == "__main__":
    print(zip_package(Path(sys.argv[1])))
