"""Charts of the `use` analysis from its written tables: figures 28 and 36 to 39."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm, TwoSlopeNorm
from matplotlib.ticker import FuncFormatter, PercentFormatter

from socare_spark.analyses.nouns import noun_of
from socare_spark.analyses.use.costs import ELEMENT_COST_BY_YEAR
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.use.settings import SETTINGS, Settings, UseSettings
from socare_spark.analyses.use.split import PROVISION_SPLIT
from socare_spark.analyses.use.threshold import THRESHOLD_USE
from socare_spark.analysis import Context
from socare_spark.charts.area_maps import AreaMap, draw_density
from socare_spark.charts.area_style import NOT_KNOWN
from socare_spark.charts.bar_panels import Panel, Panels, draw_panels
from socare_spark.charts.shaded_tables import NOTHING, Block, Matrices, draw_matrices, natural
from socare_spark.charts.style import DIVERGING, DIVERGING_SCALE, SEQUENTIAL, SEQUENTIAL_SCALE
from socare_spark.lake.table import TableSpec
from socare_spark.places.shapes import shapes_of


def draw(context: Context, settings: Settings) -> None:
    """Draws the charts in `working/pictures` and the maps in `working/maps`."""
    use = settings.use
    _draw_users(context, use)
    _draw_costs(context, use)
    over = _rows(context, THRESHOLD_USE)
    _draw_threshold(context, use, over)
    _draw_over_map(context, use, over)
    _draw_split(context, use)


def _rows(context: Context, table: TableSpec) -> pd.DataFrame:
    """Reads a written table with columns of objects, so that null is None in columns of numbers."""
    rows = context.lake.to_dicts(table, order=table.dims[0].name)
    return pd.DataFrame(rows, columns=table.names, dtype=object)


def _path(context: Context, name: str) -> Path:
    return context.lake.pictures / f"use_{name.lower()}.png"


def _draw_users(context: Context, settings: UseSettings) -> None:
    """Draws figure 28: people by quarter, and their change."""
    rows = _rows(context, USERS_BY_QUARTER).sort_values(["element", "quarter"])
    many = noun_of(context.conf, settings.dataset).many
    for element, element_rows in rows.groupby("element"):
        labels = [
            label[4:] if label[5] != "1" else f"Q1\n{label[:4]}"
            for label in element_rows["quarter"]
        ]
        change = element_rows["change"].astype(float)
        counts = element_rows["people"].tolist()
        people = Panel("People", labels, counts, [f"{number:,}" for number in counts])
        changes = Panel(
            "Change from the quarter before",
            labels,
            change.tolist(),
            ["" if np.isnan(share) else f"{share:+.0%}".replace("+0%", "0%") for share in change],
        )
        panels = Panels(
            f"People with {element} by quarter",
            f"Distinct people with {many} open on a day of the quarter",
            f"{settings.dataset}, {element}",
            [[people], [changes]],
            "Orange: fewer than in the quarter before",
        )
        path = _path(context, f"users_by_quarter_{element}")
        context.picture(draw_panels(panels, path, bar=0.36))


def _draw_costs(context: Context, settings: UseSettings) -> None:
    """Draws figure 36: records, people and weekly cost of each programme by year, with shares."""
    rows = _rows(context, ELEMENT_COST_BY_YEAR).sort_values("year")
    if rows.empty:
        return
    grid = []
    for name in settings.programmes:
        group_rows = rows[rows["element_group"] == name]
        title = name.replace("_", " ").capitalize()
        grid.append(
            [
                _with_share(group_rows, f"{title}: records", "records", "share_records"),
                _with_share(group_rows, f"{title}: people", "people", "share_people"),
                _with_share(group_rows, f"{title}: weekly cost, £", "weekly_cost", "share_cost"),
            ]
        )
    panels = Panels(
        "Programmes of savings by year",
        f"{noun_of(context.conf, settings.dataset).title} open in the year; below each number its "
        "share of the sum over all years",
        f"{settings.dataset}; programmes of {SETTINGS}",
        grid,
    )
    context.picture(draw_panels(panels, _path(context, "cost_by_year")))


def _with_share(rows: pd.DataFrame, title: str, name: str, share: str) -> Panel:
    values = rows[name].astype(float)
    shares = rows[share].astype(float)
    texts = [
        ("not known" if np.isnan(value) else f"{value:,.0f}")
        + ("" if np.isnan(part) else f"\n{part:.1%}")
        for value, part in zip(values, shares, strict=True)
    ]
    return Panel(title, [str(year) for year in rows["year"]], values.tolist(), texts)


def _draw_threshold(context: Context, settings: UseSettings, rows: pd.DataFrame) -> None:
    """Draws figure 38: people with each element by year, and those over the threshold."""
    whole = rows[rows["district"].isna() & rows["year"].notna()].sort_values("year")
    if whole.empty:
        return
    weeks = settings.threshold.weeks
    panels = []
    for element in (*dict.fromkeys(settings.threshold.elements), None):
        selected = whole["element"].isna() if element is None else whole["element"] == element
        element_rows = whole[selected]
        texts = [
            f"{people:,}" + ("" if share is None else f"\n{share:.0%}")
            for people, share in zip(
                element_rows["people"], element_rows["share_over"], strict=True
            )
        ]
        panels.append(
            Panel(
                element or "All together",
                [str(year) for year in element_rows["year"]],
                element_rows["people"].astype(float).tolist(),
                texts,
                element_rows["people_over"].astype(float).tolist(),
            )
        )
    shown = Panels(
        f"People with more than {weeks} consecutive weeks",
        f"Distinct people by year; below each number the share with a day beyond {weeks} weeks",
        f"{settings.dataset}; spells of one person and element",
        [panels],
        f"Grey: all people; blue: those with a day beyond {weeks} weeks in the year",
    )
    context.picture(draw_panels(shown, _path(context, "threshold"), height=2.4))


def _draw_over_map(context: Context, settings: UseSettings, rows: pd.DataFrame) -> None:
    """Draws figure 39: people over the threshold per 1,000 of the population, by district."""
    district_rows = rows[rows["element"].isna() & rows["year"].isna() & rows["district"].notna()]
    by_district = district_rows.set_index("district")[["per_1000", "people_over"]].astype(float)
    rate = by_district["per_1000"]
    areas = shapes_of(context.lake, settings.layer)
    if rate.isna().all() or areas.empty:
        return
    weeks = settings.threshold.weeks
    shown = AreaMap(
        f"People with more than {weeks} consecutive weeks, by {settings.layer}",
        f"Distinct people with {', '.join(settings.threshold.elements)}, all years together; "
        "classes of about equally many areas",
        f"{settings.dataset}, people by home postcode; areas: layer {settings.layer}",
        list(areas["shape"]),
    )
    # Nobody is over the threshold in a district without a row.
    nobody = by_district["people_over"].reindex(areas["code"]).fillna(0).eq(0)
    values = rate.reindex(areas["code"]).mask(nobody, 0.0).to_numpy(dtype=np.float64)
    path = context.lake.maps / "use_threshold_per_1000.png"
    missing = replace(NOT_KNOWN, label="population not known")
    context.picture(draw_density(shown, values, "People per 1,000", path, missing=missing))


def _draw_split(context: Context, settings: UseSettings) -> None:
    """Draws figure 37: internal provision, cost and people by client group, district and year."""
    rows = _rows(context, PROVISION_SPLIT)
    placed = rows[rows["district"].notna()]
    if not placed["records"].sum():
        return
    districts = sorted(placed["district"].unique(), key=natural)
    years = sorted(placed["year"].dropna().unique())
    groups = [None, *sorted(placed["client_group"].dropna().unique())]
    whole = rows[rows[["client_group", "district", "year"]].isna().all(axis=1)].iloc[0]
    overall = float(whole["share_internal"] or 0)
    many = noun_of(context.conf, settings.dataset).many
    source = f"{settings.dataset}, {', '.join(settings.split.services)}; {many} open in a year"
    context.picture(
        draw_matrices(
            Matrices(
                "Who provides: share of internal provision",
                f"In percent of records by district and year; {overall:.0%} of all records. Marked "
                "districts differ from the others of their client group and year",
                source,
                districts,
                [_block(placed, group, districts, [*years, None], _share_of) for group in groups],
                DIVERGING,
                TwoSlopeNorm(min(max(overall, 0.01), 0.99), 0, 1),
                DIVERGING_SCALE.replace("more", "more internal").replace("fewer", "less"),
                "Internal share of records",
                PercentFormatter(1),
                ("unusually much internal", "unusually little"),
            ),
            _path(context, "provision_split"),
        )
    )
    costs = [_block(placed, group, districts, years, _cost_of) for group in groups[1:]]
    top = max(float(np.nan_to_num(block.shades).max()) for block in costs)
    unknown = any((np.isnan(b.shades) & (b.texts != NOTHING)).any() for b in costs)
    context.picture(
        draw_matrices(
            Matrices(
                "Cost and people by client group, district and year",
                "Numbers are distinct people; colour is the cost of the days in the year",
                source,
                districts,
                costs,
                SEQUENTIAL,
                PowerNorm(0.5, 0, max(top, 1.0)),
                SEQUENTIAL_SCALE
                + "; by the square root of the cost"
                + ("; without colour: cost not known" if unknown else ""),
                "Cost in thousand pounds",
                FuncFormatter(lambda value, _: f"{value:,.0f}"),
            ),
            _path(context, "provision_cost"),
        )
    )


def _block(
    rows: pd.DataFrame,
    group: str | None,
    districts: Sequence[str],
    years: Sequence[int | None],
    shown: Callable[[pd.Series], tuple[float, str]],
) -> Block:
    """Matrix of a client group; None means all client groups."""
    selected = rows["client_group"].isna() if group is None else rows["client_group"] == group
    cells = {(row["district"], row["year"]): row for _, row in rows[selected].iterrows()}
    table = [[cells[district, year] for year in years] for district in districts]
    faces = [[shown(cell) for cell in line] for line in table]
    return Block(
        group or "All client groups",
        ["all" if year is None else str(year) for year in years],
        np.array([[shade for shade, _ in line] for line in faces], dtype=float),
        np.array([[text for _, text in line] for line in faces], dtype=object),
        np.array([[cell["flag"] for cell in line] for line in table], dtype=object),
    )


def _share_of(cell: pd.Series) -> tuple[float, str]:
    """Value for the colour, and text, of a cell of the split."""
    share = cell["share_internal"]
    return (np.nan, NOTHING) if share is None else (share, f"{100 * share:.0f}")


def _cost_of(cell: pd.Series) -> tuple[float, str]:
    """Value for the colour, and text, of a cell of the cost. An unknown cost has no colour."""
    if not cell["records"]:
        return np.nan, NOTHING
    cost = np.nan if cell["cost"] is None else float(cell["cost"]) / 1000
    return cost, f"{cell['people']:,}"
