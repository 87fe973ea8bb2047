"""Coordinate systems: EPSG codes and plausibility of coordinates.

A system is read from the file or the settings and never guessed. Coordinates outside the United
Kingdom in their stated system are refused before Spark reads them.
"""

from collections.abc import Iterable

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from socare_spark.errors import ConfigurationError
from socare_spark.places.geometry import GRID
from socare_spark.plurals import counted

LONGITUDE_LATITUDE = "EPSG:4326"
# West, south, east, north of the United Kingdom, in metres of the National Grid and in degrees.
GRID_RANGE = (-10_000.0, 0.0, 700_000.0, 1_300_000.0)
_DEGREES_RANGE = (-9.5, 49.0, 2.5, 61.5)
# Smallest and largest side of an area's envelope, in metres. The largest is that of the country.
_LEAST_SIDE, _LARGEST_SIDE = 1.0, 1_400_000.0

Box = tuple[float, float, float, float]


def epsg_code(text: str) -> str | None:
    """EPSG or ESRI code of the horizontal part of a system, or None if the system is not known.

    Args:
        text: A code, WKT or PROJJSON.
    """
    try:
        system = CRS.from_user_input(text)
    except CRSError:
        return None
    return _code(system)


def declared_code(title: str, text: str) -> str:
    """EPSG or ESRI code of a system that the settings declare.

    Args:
        title: The layer or source, for messages.
        text: The declared code.

    Raises:
        ConfigurationError: the code is not known.
    """
    code = epsg_code(text)
    if code is None:
        raise ConfigurationError(
            f"{title}: {text} is not a coordinate system. Set it to a code of EPSG or ESRI."
        )
    return code


def in_degrees(system: str) -> bool:
    """Whether the coordinates of a system, given its code, are degrees."""
    return CRS.from_user_input(system).is_geographic


def _code(system: CRS) -> str | None:
    if system.is_compound:
        return _code(system.sub_crs_list[0])
    if system.is_bound and system.source_crs is not None:
        return _code(system.source_crs)
    if system.to_authority() == ("OGC", "CRS84"):
        return LONGITUDE_LATITUDE
    # Heights are dropped: EPSG:4979 becomes EPSG:4326.
    code = system.to_2d().to_epsg()
    if code is not None:
        return f"EPSG:{code}"
    # Systems in feet have no EPSG code in some countries.
    authority = system.to_2d().to_authority(auth_name="ESRI")
    return None if authority is None else ":".join(authority)


def misplaced(boxes: np.ndarray, system: str) -> str | None:
    """Checks that areas are in the United Kingdom.

    Args:
        boxes: West, south, east and north of each area, in the system's units, longitude first.
        system: EPSG code of the system.

    Returns:
        The fault as the predicate of a sentence about a layer, or None if there is no fault.
    """
    extent = _extent(boxes)
    reach = "extends over {} (west, south, east, north)".format(
        ", ".join(f"{x:.6g}" for x in extent)
    )
    if in_degrees(system):
        if not _within(extent, _DEGREES_RANGE):
            return f"{reach}, which in {system} is not in the United Kingdom{_swap_hint(extent)}"
    elif max(map(abs, extent)) <= 180:
        return f"{reach}; these are degrees, not metres of {system}"
    in_grid = _in_grid(boxes, system)
    if in_grid is None or not _within(_extent(in_grid), GRID_RANGE):
        return f"{reach}, which in {system} is not in the United Kingdom"
    sides = np.maximum(in_grid[:, 2] - in_grid[:, 0], in_grid[:, 3] - in_grid[:, 1])
    implausible = int(((sides < _LEAST_SIDE) | (sides > _LARGEST_SIDE)).sum())
    if implausible:
        return (
            f"has {implausible:,} of {counted(len(sides), 'area')} smaller than a metre or larger "
            "than the country"
        )
    return None


def _extent(boxes: np.ndarray) -> Box:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _within(box: Box, limits: Box) -> bool:
    west, south, east, north = limits
    return west <= box[0] and south <= box[1] and box[2] <= east and box[3] <= north


def _swap_hint(extent: Box) -> str:
    swapped = (extent[1], extent[0], extent[3], extent[2])
    if not _within(swapped, _DEGREES_RANGE):
        return ""
    return ": latitude comes before longitude, so its axes are swapped"


def _in_grid(boxes: np.ndarray, system: str) -> np.ndarray | None:
    """The boxes in EPSG:27700, exact to some hundred metres; None if the transformation fails."""
    if system == GRID:
        return boxes
    try:
        move = Transformer.from_crs(system, GRID, always_xy=True)
        corners = [move.transform(boxes[:, a], boxes[:, b]) for a, b in _corners()]
    except ProjError:
        return None
    x, y = (np.stack([corner[axis] for corner in corners]) for axis in (0, 1))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return np.stack([x.min(axis=0), y.min(axis=0), x.max(axis=0), y.max(axis=0)], axis=1)


def _corners() -> Iterable[tuple[int, int]]:
    return ((0, 1), (0, 3), (2, 1), (2, 3))
