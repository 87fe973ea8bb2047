"""Writes the reference sources of the synthetic city: postcodes, boundaries, population."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from socare_spark.twin.draws import apportion
from socare_spark.twin.population.city import City

COUNTRY, REGION, HEALTH = "E92000001", "E19000001", "E18000005"
AUTHORITY, NEIGHBOUR_AUTHORITY = "E08000025", "E08000029"
CITY_NAME = "Birmingham"
POPULATION_YEARS = {2015: 0.955, 2024: 1.0}
AGE_SHARES = {"0-11": 0.162, "11-25": 0.212, "25-65": 0.496, "65+": 0.13}
FIXED_DATE = "2020-01-01T00:00:00.000Z"


def write_reference(city: City, folder: Path) -> dict[str, Any]:
    """Writes codepoint.csv, onspd.csv, boundaries.gpkg, population.csv and returns the truth about
    them.
    """
    (folder / "postcodes").mkdir(parents=True, exist_ok=True)
    _write_codepoint(city, folder / "postcodes" / "codepoint.csv")
    _write_onspd(city, folder / "postcodes" / "onspd.csv")
    _write_boundaries(city, folder / "boundaries.gpkg")
    _write_population(city, folder / "population.csv")
    return _truth(city)


def _write_codepoint(city: City, path: Path) -> None:
    """Live postcodes in the layout of Code-Point Open: no header, texts quoted, unplaced ones at
    (0, 0).
    """
    codes = city.postcodes
    live = np.flatnonzero(codes.status != "terminated")
    wards = city.wards["ward_code"].to_numpy()
    order = live[np.argsort(codes.text[live].astype(str), kind="stable")]
    lines = []
    for i in order:
        quality = 90 if codes.status[i] == "unplaced" else 10
        authority = NEIGHBOUR_AUTHORITY if codes.status[i] == "outside" else AUTHORITY
        ward = wards[codes.ward[i]] if codes.ward[i] >= 0 else ""
        lines.append(
            f'"{_seven(codes.text[i])}",{quality},{codes.easting[i]},{codes.northing[i]},'
            f'"{COUNTRY}","{REGION}","{HEALTH}","","{authority}","{ward}"\n'
        )
    path.write_text("".join(lines), encoding="utf-8", newline="")


def _write_onspd(city: City, path: Path) -> None:
    """Live and terminated postcodes in the layout of the ONS directory; those without a place have
    empty coordinates.
    """
    codes = city.postcodes
    order = np.argsort(codes.text.astype(str), kind="stable")
    lines = ["pcd,laua,oseast1m,osnrth1m\n"]
    for i in order:
        authority = NEIGHBOUR_AUTHORITY if codes.status[i] == "outside" else AUTHORITY
        place = f"{codes.easting[i]},{codes.northing[i]}" if codes.easting[i] else ","
        lines.append(f"{_seven(codes.text[i])},{authority},{place}\n")
    path.write_text("".join(lines), encoding="utf-8", newline="")


def _seven(text: str) -> str:
    """The 7-character form: outward code padded to four, then the inward code."""
    outward, inward = text.split(" ")
    return f"{outward:<4}{inward}"


def _write_boundaries(city: City, path: Path) -> None:
    """Writes the layers wards, constituencies and city as one GeoPackage without a time stamp of
    today.
    """
    wards = gpd.GeoDataFrame(
        city.wards[["ward_code", "ward_name", "constituency_code", "constituency_name"]].rename(
            columns={"ward_code": "code", "ward_name": "name"}
        ),
        geometry=city.ward_polygons,
        crs="EPSG:27700",
    )
    merged = wards.dissolve(by=["constituency_code", "constituency_name"], as_index=False)
    constituencies = merged.rename(columns={"constituency_code": "c", "constituency_name": "n"})[
        ["c", "n", "geometry"]
    ]
    constituencies = constituencies.rename(columns={"c": "code", "n": "name"})
    whole = gpd.GeoDataFrame(
        {"code": [AUTHORITY], "name": [CITY_NAME]},
        geometry=[shapely.union_all(city.ward_polygons)],
        crs="EPSG:27700",
    )
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    for name, layer in (("wards", wards), ("constituencies", constituencies), ("city", whole)):
        layer.to_file(path, layer=name, driver="GPKG", engine="pyogrio")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_population(city: City, path: Path) -> None:
    """Writes people by area for two years, in all and by age band."""
    codes = city.postcodes
    here = codes.status == "located"
    people = city.wards["population_mid2024"].to_numpy()
    # People of a ward are spread evenly over its postcodes, which gives the districts their
    # populations.
    per_code = people / np.bincount(codes.ward[here], minlength=len(people)).clip(1)
    by_district = np.bincount(codes.district[here], weights=per_code[codes.ward[here]])
    seats = city.wards.groupby("constituency_code", sort=True)["population_mid2024"].sum()
    layers = [
        ("city", np.array([AUTHORITY]), np.array([people.sum()])),
        ("constituency", seats.index.to_numpy(), seats.to_numpy()),
        ("ward", city.wards["ward_code"].to_numpy(), people),
        (
            "district",
            city.districts["district"].to_numpy(),
            apportion(int(people.sum()), by_district),
        ),
    ]
    rows = [
        row
        for layer, names, counts in layers
        for code, count in zip(names, counts, strict=True)
        for row in _population_rows(layer, str(code), int(count))
    ]
    frame = pd.DataFrame(rows, columns=["layer", "code", "year", "age_band", "population"])
    frame.to_csv(path, index=False, lineterminator="\n")


def _population_rows(layer: str, code: str, latest: int) -> list[tuple[str, str, int, str, int]]:
    rows = []
    for year, factor in POPULATION_YEARS.items():
        count = round(latest * factor)
        rows.append((layer, code, year, "", count))
        for band, part in zip(AGE_SHARES, apportion(count, list(AGE_SHARES.values())), strict=True):
            rows.append((layer, code, year, band, int(part)))
    return rows


def _truth(city: City) -> dict[str, Any]:
    codes = city.postcodes
    here = codes.status == "located"
    names = city.wards["ward_code"].to_numpy()
    per_ward = np.bincount(codes.ward[here], minlength=len(names))
    return {
        "postcodes": len(codes.text),
        "codepoint_rows": int((codes.status != "terminated").sum()),
        "onspd_rows": len(codes.text),
        "located": int(here.sum()),
        "unlocated": int((codes.status == "unplaced").sum()),
        "terminated": int((codes.status == "terminated").sum()),
        "outside": int((codes.status == "outside").sum()),
        "wards": len(names),
        "constituencies": int(city.wards["constituency_code"].nunique()),
        "districts": len(city.districts),
        "sectors": len(np.unique(codes.district[here] * 10 + codes.sector[here])),
        "city_km2": round(float(city.outline.area) / 1e6, 3),
        "postcodes_by_ward": [[str(c), int(n)] for c, n in zip(names, per_ward, strict=True)],
        "postcodes_by_district": city.districts[["district", "postcodes"]].values.tolist(),
    }
