"""Finding the files that `conf/places.yaml` names in the landing folder, and knowing them again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from socare_spark.errors import DataError
from socare_spark.places.settings import (
    DissolvedLayer,
    FileLayer,
    Layer,
    PlacesSettings,
    PopulationSource,
    PostcodeSource,
)

# A shapefile is several files; these hold its shapes and its columns.
_SHAPEFILE = (".shp", ".dbf", ".shx")


def find_files(landing: Path, patterns: Iterable[str]) -> list[Path]:
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
        paths = [_part(path, suffix) for suffix in _SHAPEFILE]
        # These decide the coordinate system and the encoding, where they are there.
        paths += [part for suffix in (".prj", ".cpg") if (part := _part(path, suffix)).exists()]
    for each in paths:
        if not each.exists():
            raise DataError(
                f"No file {each.relative_to(landing)} in {landing}: put it there, or take the "
                "layer out of places.yaml."
            )
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix == ".parquet")
    return paths


def _part(path: Path, suffix: str) -> Path:
    """A part of a shapefile, in either case of its suffix."""
    upper = path.with_suffix(suffix.upper())
    return upper if upper.exists() else path.with_suffix(suffix)


def all_files(landing: Path, settings: PlacesSettings) -> list[Path]:
    """Every file that the settings name, once, in order."""
    paths: list[Path] = []
    for source in settings.postcodes:
        paths += find_files(landing, source.files)
    for layer in settings.layers.values():
        if isinstance(layer, FileLayer):
            paths += layer_files(landing, layer)
    for population in settings.population:
        paths += find_files(landing, population.files)
    return list(dict.fromkeys(paths))


def available_sources(
    landing: Path, settings: PlacesSettings
) -> tuple[PlacesSettings, dict[str, str]]:
    """The settings without what has no files, for a council that does not have them all.

    Returns:
        The settings, of which postcodes and layers may be empty; and what was left out (`postcodes
        NAME`, `layer NAME`, `population PATTERN`) -> the sentence on the file that is not there.
    """
    left_out: dict[str, str] = {}

    def has(what: str, source: PostcodeSource | Layer | PopulationSource) -> bool:
        try:
            if isinstance(source, FileLayer):
                layer_files(landing, source)
            elif isinstance(source, PostcodeSource | PopulationSource):
                find_files(landing, source.files)
        except DataError as error:
            left_out[what] = str(error)
        return what not in left_out

    layers = {name: x for name, x in settings.layers.items() if has(f"layer {name}", x)}
    for name, layer in settings.layers.items():
        if isinstance(layer, DissolvedLayer) and layer.layer not in layers:
            left_out[f"layer {name}"] = left_out[f"layer {layer.layer}"]
            del layers[name]
    there = settings.model_copy(
        update={
            "postcodes": tuple(s for s in settings.postcodes if has(f"postcodes {s.name}", s)),
            "layers": layers,
            "population": tuple(
                s for s in settings.population if has(f"population {s.files[0]}", s)
            ),
            "bounds": settings.bounds if settings.bounds in layers else None,
        }
    )
    return there, left_out


def sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
