"""Finding the files that `conf/places.yaml` names in the landing folder, and knowing them again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from socare_spark.errors import DataError
from socare_spark.places.settings import FileLayer, PlacesSettings

_CHUNK = 1 << 20
# A shapefile is several files; these hold its shapes and its columns.
_SHAPEFILE = (".shp", ".dbf", ".shx")


def matching(landing: Path, patterns: Iterable[str]) -> list[Path]:
    """The files of some patterns, each pattern's in order of their names.

    Raises:
        DataError: a pattern matches nothing.
    """
    found = []
    for pattern in patterns:
        here = sorted(path for path in landing.glob(pattern) if path.is_file())
        if not here:
            raise DataError(
                f"No file {pattern} in {landing}: put it there, or take it out of places.yaml."
            )
        found.extend(here)
    return found


def layer_files(landing: Path, layer: FileLayer) -> list[Path]:
    """All files that make one layer.

    Raises:
        DataError: one of them is not there.
    """
    path = landing / layer.file
    paths = [path]
    if path.suffix.lower() == ".shp":
        paths = [path.with_suffix(suffix) for suffix in _SHAPEFILE]
    for each in paths:
        if not each.exists():
            raise DataError(
                f"No file {each.relative_to(landing)} in {landing}: put it there, or take the "
                "layer out of places.yaml."
            )
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix == ".parquet")
    return paths


def all_files(landing: Path, settings: PlacesSettings) -> list[Path]:
    """Every file that the settings name, once, in order."""
    paths: list[Path] = []
    for source in settings.postcodes:
        paths += matching(landing, source.files)
    for layer in settings.layers.values():
        if isinstance(layer, FileLayer):
            paths += layer_files(landing, layer)
    for population in settings.population:
        paths += matching(landing, population.files)
    return list(dict.fromkeys(paths))


def sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
