"""The files of `conf/places.yaml` in the landing folder."""

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

# The files of a shapefile that contain its shapes and its columns.
_SHAPEFILE = (".shp", ".dbf", ".shx")


def find_files(landing: Path, patterns: Iterable[str]) -> list[Path]:
    """Files that match some patterns, in the order of the patterns and then by name.

    Raises:
        DataError: a pattern matches no file.
    """
    paths: list[Path] = []
    for pattern in patterns:
        matches = sorted(path for path in landing.glob(pattern) if path.is_file())
        if not matches:
            raise DataError(
                f"No file {pattern} in the landing folder. Copy it there, or remove it from "
                "places.yaml."
            )
        paths.extend(matches)
    return paths


def layer_files(landing: Path, layer: FileLayer) -> list[Path]:
    """All files of one layer.

    Raises:
        DataError: a file is missing.
    """
    path = landing / layer.file
    paths = [path]
    if path.suffix.lower() == ".shp":
        paths = [_part(path, suffix) for suffix in _SHAPEFILE]
        # Optional files: coordinate system and encoding.
        paths += [part for suffix in (".prj", ".cpg") if (part := _part(path, suffix)).exists()]
    for file in paths:
        if not file.exists():
            raise DataError(
                f"No file {file.relative_to(landing)} in the landing folder. Copy it there, or "
                "remove the layer from places.yaml."
            )
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix == ".parquet")
    return paths


def _part(path: Path, suffix: str) -> Path:
    """Path of a part of a shapefile; its suffix may be in upper or lower case."""
    upper = path.with_suffix(suffix.upper())
    return upper if upper.exists() else path.with_suffix(suffix)


def all_files(landing: Path, settings: PlacesSettings) -> list[Path]:
    """All files of the settings in order, each once."""
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
    """Removes the sources whose files are missing from the settings.

    Returns:
        The settings, with postcodes and layers that may be empty; and a mapping from each removed
        source (`postcodes NAME`, `layer NAME` or `population PATTERN`) to the reason.
    """
    left_out: dict[str, str] = {}

    def has_files(key: str, source: PostcodeSource | Layer | PopulationSource) -> bool:
        try:
            if isinstance(source, FileLayer):
                layer_files(landing, source)
            elif isinstance(source, PostcodeSource | PopulationSource):
                find_files(landing, source.files)
        except DataError as error:
            left_out[key] = str(error)
        return key not in left_out

    layers = {name: x for name, x in settings.layers.items() if has_files(f"layer {name}", x)}
    for name, layer in settings.layers.items():
        if isinstance(layer, DissolvedLayer) and layer.layer not in layers:
            left_out[f"layer {name}"] = left_out[f"layer {layer.layer}"]
            del layers[name]
    available = settings.model_copy(
        update={
            "postcodes": tuple(
                s for s in settings.postcodes if has_files(f"postcodes {s.name}", s)
            ),
            "layers": layers,
            "population": tuple(
                s for s in settings.population if has_files(f"population {s.files[0]}", s)
            ),
            "bounds": settings.bounds if settings.bounds in layers else None,
        }
    )
    return available, left_out
