"""Charts of combinations: bars over time, and turnover by window."""

import re

from socare_spark.analyses.combinations.counts import COMBINATIONS
from socare_spark.analyses.combinations.settings import Blocks, Settings
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS, starts_and_ends
from socare_spark.analysis import Context
from socare_spark.charts.turnover import Turnover, draw_turnover
from socare_spark.charts.use_spans import Bars, draw_bars

_SOURCE = COMBINATIONS.path


def draw(context: Context, settings: Settings) -> None:
    """Draws bars of combinations and their turnover.

    There is a chart of bars for all combinations, for each band of people and for each sub-process.
    Combinations without a reason and an outcome have no picture.
    """
    if COMBINATIONS.path in context.unavailable:
        return
    _draw_bars(context, settings)
    if settings.wanted.blocks is not None:
        _draw_turnover(context, settings.wanted.blocks)


def _draw_bars(context: Context, settings: Settings) -> None:
    frame = context.lake.to_pandas(COMBINATIONS).dropna(subset=["first_used", "last_used"])
    if frame.empty:
        return
    most = int(frame["people"].max())
    pictures = {"combinations": Bars("Combinations of reason and outcome", frame, _SOURCE, most)}
    for place, band in enumerate(settings.wanted.bands, start=1):
        within = frame["people"].between(band.start, band.end or float("inf"), inclusive="left")
        title = f"Combinations in the records of {band.label} people"
        pictures[f"combinations_band_{place}"] = Bars(title, frame[within], _SOURCE, most)
    for subprocess, rows in frame.groupby("subprocess"):
        title = f"Combinations: {subprocess}"
        pictures[f"combinations_of_{_plain(str(subprocess))}"] = Bars(title, rows, _SOURCE, most)
    for name, bars in pictures.items():
        if len(bars.rows):
            context.picture(draw_bars(bars, context.lake.pictures / f"{name}.png"))


def _plain(name: str) -> str:
    """Name for a file: `MASH & ASTI` becomes `mash_asti`."""
    return re.sub(r"\W+", "_", name.casefold()).strip("_")


def _draw_turnover(context: Context, wanted: Blocks) -> None:
    days = ("reason", "outcome", "first_used", "last_used")
    turnover = starts_and_ends(context.lake.to_pandas(COMBINATIONS, *days), wanted.window)
    rows = turnover.groupby(["kind", "period"], as_index=False).agg(combinations=("reason", "size"))
    if rows.empty:
        return
    blocks = context.lake.to_pandas(COMBINATION_BLOCKS, "kind", "period", "block")
    turned = Turnover(
        rows.merge(blocks, on=["kind", "period"], how="left"),
        wanted.window,
        wanted.combinations,
        COMBINATION_BLOCKS.path,
    )
    context.picture(draw_turnover(turned, context.lake.pictures / "combination_blocks.png"))
