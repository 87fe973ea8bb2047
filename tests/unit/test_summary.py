"""The page of figures is for a person at a terminal: a log gets none of it without being asked."""

from datetime import date

import deltalake
import pandas as pd
import pytest

from socare_spark.lake.lake import Lake
from socare_spark.report.summary import _last, show
from socare_spark.tracking.run import Run

PEOPLE = 4711


@pytest.fixture
def lake(tmp_path):
    found = {"snapshot": [date(2014, 1, 1)], "records": [PEOPLE], "descriptions": [3]}
    deltalake.write_deltalake(tmp_path / "working/request_snapshots", pd.DataFrame(found))
    return Lake(tmp_path)


@pytest.fixture
def runs(lake):
    run = Run("requests", lake.storage, {}, status="done")
    run.outputs["working/request_snapshots"] = {"version": 0, "rows": PEOPLE}
    run.counts["people"] = PEOPLE
    return [run]


@pytest.mark.parametrize(
    ("always", "interactive", "shown"),
    [(False, "", False), (False, "1", True), (True, "", True)],
)
def test_summary_page_needs_a_terminal_or_the_option(
    lake, runs, monkeypatch, capsys, always, interactive, shown
):
    monkeypatch.setenv("TTY_INTERACTIVE", interactive)
    # A service that shows colours in its logs is no terminal.
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    show(None, lake, runs, always)
    text = capsys.readouterr().out
    assert (f"{PEOPLE:,}" in text) == shown
    assert ("requests: done; tables: 1, pictures: 0" in text) == (not shown)
    assert str(PEOPLE) not in text


def test_a_file_that_was_replaced_by_another_part_counts_once():
    def entry(sequence, status, part):
        names = ("dataset", "extract", "part", "sequence", "status")
        return dict(zip(names, ("visits", date(2014, 12, 31), part, sequence, status), strict=True))

    entries = [
        entry(1, "accepted", ""), entry(2, "replaced", ""), entry(2, "accepted", "north"),
    ]  # fmt: skip
    assert [part for _, _, part in _last(entries, "accepted", "amended")] == ["north"]
