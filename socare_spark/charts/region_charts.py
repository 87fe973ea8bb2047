"""Charts of regions of interest: share of the population, ethnic profile and cost by age."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from socare_spark.charts.style import (
    CATEGORIES,
    HAIRLINE,
    INK,
    QUIET,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)
from socare_spark.contracts.nouns import Noun
from socare_spark.plurals import agreeing

_LEFT, _COLUMN, _SPACE = 1.25, 3.1, 0.35  # inches
_HEIGHT, _NARROWEST = 9.4, 9.2
_MOST_GROUPS, _REST = 8, "all others"
# Bottom and height of the three rows of axes, in inches from the foot of the figure.
_COST, _ETHNIC, _PEOPLE = (0.95, 2.2), (4.0, 1.75), (6.45, 1.55)


@dataclass(frozen=True)
class RegionPicture:
    """The content of a figure.

    Attributes:
        rows: Columns region, year, age_band, ethnicity (null means all), people, cost,
            population (null where it is not known), per_1000.
        regions: Names from left to right; each has rows.
        groups: Ethnic class -> group in the chart. A class without a group is drawn by itself.
        bands: Age bands from young to old.
        source: Source of the figures.
        noun: Name of the records.
    """

    rows: pd.DataFrame
    regions: Sequence[str]
    groups: Mapping[str, str]
    bands: Sequence[str]
    source: str
    noun: Noun


def draw_regions(picture: RegionPicture, path: Path) -> Path:
    """Draws one column per region, with the same scales, so that regions can be compared."""
    width = max(_NARROWEST, _LEFT + len(picture.regions) * (_COLUMN + _SPACE) + 0.1)
    with rc_context(STYLE):
        figure = new_figure(width, _HEIGHT)
        for draw, row in ((_people, _PEOPLE), (_ethnic, _ETHNIC), (_cost, _COST)):
            draw(_axes(figure, row, len(picture.regions)), picture)
        headline(
            figure,
            f"Regions of interest: who has {picture.noun.many}, and what they cost",
            f"People with {picture.noun.many} open in the year; ethnic groups of all years "
            "together, where a person with several counts in each",
        )
        small_print(figure, picture.source, "Scales are the same for all regions.")
        return save(figure, path)


def _axes(figure: Figure, row: tuple[float, float], number: int) -> list[Axes]:
    width, (foot, height) = figure.get_figwidth(), row
    return [
        figure.add_axes(
            (
                (_LEFT + place * (_COLUMN + _SPACE)) / width,
                foot / _HEIGHT,
                _COLUMN / width,
                height / _HEIGHT,
            )
        )
        for place in range(number)
    ]


def _people(axes: Sequence[Axes], picture: RegionPicture) -> None:
    """Draws people per 1,000 of the population by year, and writes those of all years."""
    rows = picture.rows
    whole = rows[rows["age_band"].isna() & rows["ethnicity"].isna()]
    highest = whole.loc[whole["year"].notna(), "per_1000"].max()
    for place, (ax, region) in enumerate(zip(axes, picture.regions, strict=True)):
        region_rows = whole[whole["region"] == region]
        (total,) = region_rows[region_rows["year"].isna()].to_dict("records")
        by_year = region_rows[region_rows["year"].notna()].sort_values("year")
        ax.plot(by_year["year"], by_year["per_1000"], color=CATEGORIES[0], marker="o", ms=3.5)
        ax.set_ylim(0, 1.1 * highest if highest > 0 else 1)
        if pd.isna(highest):
            ax.set_yticks([])
        ax.set_title(region, loc="left", fontsize=11, fontweight="bold", color=INK, pad=20)
        ax.annotate(_sentence(total), (0, 1.05), xycoords="axes fraction", fontsize=8, color=INK)
        _years(ax, rows)
        _plain(ax, place, "People for each 1,000\nof the population")


def _sentence(total: Mapping[Hashable, Any]) -> str:
    noun = agreeing(total["people"], "person", "people")
    people = f"{total['people']:,.0f} {noun} in all years"
    if pd.isna(total["population"]):
        return f"{people}; population not known"
    share = total["people"] / total["population"]
    return f"{people}, {share:.1%} of {total['population']:,.0f}"


def _ethnic(axes: Sequence[Axes], picture: RegionPicture) -> None:
    """Draws the share of each ethnic group in the people of all years."""
    rows = picture.rows
    classes = rows[rows["year"].isna() & rows["age_band"].isna() & rows["ethnicity"].notna()]
    group = classes["ethnicity"].map(lambda name: picture.groups.get(name, name))
    people = classes.assign(group=group).pivot_table(
        index="group", columns="region", values="people", aggfunc="sum", fill_value=0
    )
    shares = _fewer(people / people.sum().replace(0, np.nan))
    order = [shorten(name, 22, placeholder="…") for name in shares.index]
    longest = float(np.nanmax(shares.to_numpy(), initial=0.01))
    for place, (ax, region) in enumerate(zip(axes, picture.regions, strict=True)):
        region_rows = shares[region].fillna(0.0).tolist() if region in shares else []
        ax.barh(range(len(region_rows)), region_rows, height=0.7, color=CATEGORIES[0])
        for line, share in enumerate(region_rows):
            ax.text(share + longest * 0.02, line, f"{share:.1%}", va="center", fontsize=7)
        ax.set(ylim=(len(order) - 0.4, -0.6), xlim=(0, longest * 1.18), xticks=[])
        ax.set_yticks(range(len(order)), order if place == 0 else [], color=INK, fontsize=7.5)
        ax.tick_params(length=0)
        ax.spines[["bottom", "left"]].set_visible(False)
        if place == 0:
            ax.set_title("Ethnic group, share of people", loc="left", fontsize=8, color=QUIET)


def _fewer(shares: pd.DataFrame) -> pd.DataFrame:
    """Keeps the largest groups, in descending order, and adds up the others."""
    whole = shares.sum(axis=1)
    order = sorted(shares.index, key=lambda name: (-whole[name], name))
    if len(order) <= _MOST_GROUPS:
        return shares.loc[order]
    kept, rest = order[: _MOST_GROUPS - 1], order[_MOST_GROUPS - 1 :]
    return pd.concat([shares.loc[kept], shares.loc[rest].sum().to_frame(_REST).T])


def _cost(axes: Sequence[Axes], picture: RegionPicture) -> None:
    """Draws the cost of the days of each year as stacked bars of age bands."""
    rows = picture.rows
    by_band = rows[rows["year"].notna() & rows["age_band"].notna() & rows["ethnicity"].isna()]
    is_known = by_band.empty or by_band["cost"].notna().any()
    costs = by_band.assign(cost=by_band["cost"].astype(float) / 1e6).pivot_table(
        index=["region", "year"], columns="age_band", values="cost", aggfunc="sum", fill_value=0
    )
    bands = [band for band in picture.bands if band in costs.columns]
    bands += [band for band in costs.columns if band not in bands]
    highest = float(np.max(costs.sum(axis=1).to_numpy(), initial=0.0))
    for place, (ax, region) in enumerate(zip(axes, picture.regions, strict=True)):
        region_rows = costs[costs.index.get_level_values("region") == region].droplevel("region")
        foot = np.zeros(len(region_rows))
        for colour, band in zip(_colours(len(bands)), bands, strict=True):
            ax.bar(
                region_rows.index, region_rows[band], bottom=foot, width=0.8, color=colour, zorder=2
            )
            foot = foot + region_rows[band].to_numpy()
        ax.set_ylim(0, highest * 1.05 if highest > 0 else 1)
        if not is_known:
            ax.text(0.5, 0.5, "not known", transform=ax.transAxes, ha="center", color=QUIET)
        _years(ax, rows)
        _plain(ax, place, "Cost of the year's days,\nmillion pounds")
    swatches = [
        Patch(color=colour, label=band)
        for colour, band in zip(_colours(len(bands)), bands, strict=True)
    ]
    axes[0].legend(
        handles=swatches, title=f"Age at the {picture.noun.one}'s start",
        loc="lower left", ncols=len(bands),
        bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.1, handlelength=1, columnspacing=1.2,
        title_fontsize=8, alignment="left",
    )  # fmt: skip


def _colours(number: int) -> list[str]:
    return [CATEGORIES[place % len(CATEGORIES)] for place in range(number)]


def _years(axes: Axes, rows: pd.DataFrame) -> None:
    """Sets the same years for all axes of a row, including years without rows of the region."""
    years = rows["year"].dropna()
    if len(years):
        axes.set_xlim(float(years.min()) - 0.6, float(years.max()) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _plain(axes: Axes, place: int, what: str) -> None:
    axes.tick_params(length=0, labelsize=7.5)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("")
    if place == 0:
        axes.set_ylabel(what, fontsize=8, color=QUIET)
    else:
        axes.set_yticklabels([])
