"""The synthetic city: wards, an outline, and unit postcodes in their districts.

Ward centres, district centres and the number of postcodes of each district are facts (twin/facts);
everything else is made. Every located postcode is in exactly one ward with at least a decimetre
to spare, so that no spatial engine can disagree about it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from socare_spark.twin.draws import Bools, Draws, Floats, Ints
from socare_spark.twin.facts import FACTS

INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
SECTOR_DIGITS = (0, 8, 9, 1, 2, 3, 4, 5, 6, 7)
POSTCODES_A_SECTOR = 150
MARGIN_METRES = 15.0
WARD_MARGIN_METRES = 0.2
UNPLACED = 14
TERMINATED_SHARE = 0.04
# Districts next to the city whose postcodes turn up in its records, with a centre outside the
# outline.
NEIGHBOURS = {
    "B62": (397_200, 283_300), "B63": (395_900, 282_600), "B66": (402_100, 287_900),
    "B67": (401_000, 287_100), "B69": (397_900, 289_300), "B70": (400_300, 290_900),
    "B71": (400_700, 292_900), "B90": (412_300, 278_000), "B91": (415_100, 279_600),
    "B92": (415_600, 282_100), "B37": (418_300, 286_700), "B61": (396_300, 271_500),
    "WS9": (405_900, 300_400), "B77": (420_900, 301_200),
}  # fmt: skip
POSTCODES_A_NEIGHBOUR = 30


@dataclass(frozen=True)
class Postcodes:
    """Postcodes by position: those of the city first, sorted by district, then unplaced, terminated
    and outside ones.

    `ward` is a position in the city's wards, or -1 where the postcode is not located in the city.
    `district` is a position in the city's districts, or -1 outside.
    """

    text: np.ndarray
    district: Ints
    sector: Ints
    ward: Ints
    easting: Ints
    northing: Ints
    status: np.ndarray
    starts: Ints

    def of(self, status: str) -> Ints:
        """The positions of the postcodes with a status."""
        return np.flatnonzero(self.status == status)

    def ward_at(self, position: Ints) -> Ints:
        """The ward of the postcode at each position; -1 without a postcode or outside the wards."""
        return np.where(position >= 0, self.ward[np.maximum(position, 0)], -1)


class City:
    """Wards, districts, outline and postcodes of the synthetic city."""

    def __init__(self, draws: Draws) -> None:
        """Builds the city; only the seed varies it, never the scale."""
        self.draws = draws.scoped("city")
        self.wards = pd.read_csv(FACTS / "wards.csv")
        self.districts = pd.read_csv(FACTS / "districts.csv")

    @cached_property
    def ward_tree(self) -> cKDTree:
        """Nearest-centre search over the ward centres: a Voronoi cell is where its centre is
        nearest.
        """
        return cKDTree(self.wards[["easting", "northing"]].to_numpy(dtype=float))

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The city's edge: everything near a ward or district centre, with bays smoothed and holes
        filled.
        """
        wards = shapely.buffer(
            shapely.points(self.wards[["easting", "northing"]].to_numpy(float)), 1_600
        )
        centres = shapely.buffer(
            shapely.points(self.districts[["easting", "northing"]].to_numpy(float)), 900
        )
        near = shapely.union_all(np.concatenate([wards, centres]))
        smooth = shapely.buffer(shapely.buffer(near, 1_200), -1_350)
        largest = max(shapely.get_parts(smooth), key=lambda part: part.area)
        return shapely.set_precision(shapely.simplify(shapely.polygons(largest.exterior), 25), 1.0)

    @cached_property
    def ward_polygons(self) -> np.ndarray:
        """Voronoi cells of the ward centres cut to the outline, in the order of the wards."""
        centres = self.wards[["easting", "northing"]].to_numpy(dtype=float)
        cells = shapely.get_parts(
            shapely.voronoi_polygons(shapely.multipoints(centres), extend_to=self.outline)
        )
        index = shapely.STRtree(cells).query(shapely.points(centres), predicate="within")
        order = np.empty(len(centres), dtype=np.int64)
        order[index[0]] = index[1]
        cut: np.ndarray = shapely.intersection(cells[order], self.outline)
        return cut

    def ward_of(self, east: Floats, north: Floats) -> tuple[Ints, Bools]:
        """The ward of each point and whether the point keeps clear of every ward edge."""
        found = self.ward_tree.query(np.column_stack([east, north]), k=2)
        distance, nearest = np.asarray(found[0]), np.asarray(found[1])
        clear = (distance[:, 1] - distance[:, 0]) > 2 * WARD_MARGIN_METRES
        return nearest[:, 0].astype(np.int64), clear

    @cached_property
    def postcodes(self) -> Postcodes:
        """All postcodes that the records know."""
        located = self._located()
        frames = [located, self._unplaced(located), self._outside()]
        every = pd.concat(frames, ignore_index=True)
        starts = np.searchsorted(located["district"].to_numpy(), np.arange(len(self.districts) + 1))
        district, sector, ward, easting, northing = (
            every[c].to_numpy(dtype=np.int64)
            for c in ("district", "sector", "ward", "easting", "northing")
        )
        return Postcodes(
            text=every["text"].to_numpy(dtype=object),
            district=district,
            sector=sector,
            ward=ward,
            easting=easting,
            northing=northing,
            status=every["status"].to_numpy(dtype=object),
            starts=starts.astype(np.int64),
        )

    def _located(self) -> pd.DataFrame:
        """Scatters each district's postcodes round its centre, among the places nearest to that
        centre.
        """
        inner = shapely.buffer(self.outline, -MARGIN_METRES)
        shapely.prepare(inner)
        centres = self.districts[["easting", "northing"]].to_numpy(dtype=float)
        tree = cKDTree(centres)
        spread = np.asarray(tree.query(centres, k=4)[0])[:, 1:].mean(axis=1)
        parts = []
        for place, (name, count) in enumerate(
            zip(self.districts["district"], self.districts["postcodes"], strict=True)
        ):
            rng = self.draws.generator(f"scatter {name}")
            points = np.empty((0, 2))
            while len(points) < count:
                offset = rng.normal(scale=0.55 * spread[place] + 150, size=(4 * count, 2))
                tried = np.round(centres[place] + offset)
                inside = (tree.query(tried)[1] == place) & shapely.contains_xy(
                    inner, tried[:, 0], tried[:, 1]
                )
                clear = self.ward_of(tried[:, 0], tried[:, 1])[1]
                points = np.concatenate([points, tried[inside & clear]])
            parts.append(self._named(name, place, points[:count], centres[place], rng))
        return pd.concat(parts, ignore_index=True)

    def _named(
        self,
        name: str,
        place: int,
        points: np.ndarray,
        centre: np.ndarray,
        rng: np.random.Generator,
    ) -> pd.DataFrame:
        """Cuts a district into wedges round its centre, one a sector, and names its units."""
        count = len(points)
        sectors = min(10, max(2, -(-count // POSTCODES_A_SECTOR)))
        turn = np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0])
        wedge = np.empty(count, dtype=np.int64)
        wedge[np.argsort(turn, kind="stable")] = np.arange(count) * sectors // count
        unit = np.empty(count, dtype=np.int64)
        for sector in range(sectors):
            here = np.flatnonzero(wedge == sector)
            unit[here] = np.sort(rng.permutation(360)[: len(here)])
        digits = np.take(SECTOR_DIGITS, wedge)
        ward, _ = self.ward_of(points[:, 0], points[:, 1])
        frame = pd.DataFrame(
            {
                "text": [
                    postcode(name, d, u)
                    for d, u in zip(digits.tolist(), unit.tolist(), strict=True)
                ],
                "district": place,
                "sector": digits,
                "ward": ward,
                "easting": points[:, 0].astype(np.int64),
                "northing": points[:, 1].astype(np.int64),
                "status": "located",
            }
        )
        return frame.sort_values("text", kind="stable")

    def _unplaced(self, located: pd.DataFrame) -> pd.DataFrame:
        """Names postcodes of the city without a place: a few live ones (quality 90) and the
        terminated ones.
        """
        sectors = located.groupby(["district", "sector"], sort=True).size().reset_index(name="n")
        names = self.districts["district"].to_numpy()
        count = UNPLACED + round(len(located) * TERMINATED_SHARE)
        rng = self.draws.generator("unplaced")
        # Units 360 to 399 are never given to a located postcode, so these cannot clash.
        slots = rng.permutation(len(sectors) * 40)[:count]
        rows = sectors.iloc[slots // 40]
        texts = [
            postcode(names[d], s, 360 + u)
            for d, s, u in zip(rows["district"], rows["sector"], slots % 40, strict=True)
        ]
        status = np.where(np.arange(count) < UNPLACED, "unplaced", "terminated")
        return pd.DataFrame(
            {
                "text": texts,
                "district": rows["district"].to_numpy(),
                "sector": rows["sector"].to_numpy(),
                "ward": -1,
                "easting": 0,
                "northing": 0,
                "status": status,
            },
        )

    def _outside(self) -> pd.DataFrame:
        """Scatters postcodes of neighbouring districts outside the outline."""
        parts = []
        for name, centre in NEIGHBOURS.items():
            rng = self.draws.generator(f"neighbour {name}")
            tried = np.round(np.array(centre) + rng.normal(scale=500, size=(2_000, 2)))
            away = shapely.distance(shapely.points(tried), self.outline) > MARGIN_METRES
            points = tried[away][:POSTCODES_A_NEIGHBOUR]
            parts.append(self._named(name, -1, points, np.array(centre), rng))
        frame = pd.concat(parts, ignore_index=True)
        return frame.assign(ward=-1, status="outside")


def postcode(district: str, sector: int, unit: int) -> str:
    """A unit postcode such as `B21 8AA`; `unit` counts 0 to 399."""
    return f"{district} {sector}{INWARD_LETTERS[unit // 20]}{INWARD_LETTERS[unit % 20]}"
