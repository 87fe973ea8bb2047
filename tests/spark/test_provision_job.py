"""The job on a council with little: what can be made is made, the rest says what it lacks."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from deltalake import write_deltalake
from rich.console import Console

from socare_spark.analyses.provision.job import ANALYSIS
from socare_spark.analysis import Context
from socare_spark.errors import MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).resolve().parents[2] / "conf"
AGREEMENTS = """person bigint, age_at_start int, agreement_start date, agreement_end date,
    service string, element string, weekly_cost decimal(12,2), postcode string, extract date"""
WITHOUT_PLACES = {
    "working/dataset_totals",
    "working/dense_window",
    "working/registered_services",
    "working/elements_per_person",
    "working/removed_rows",
}
MATRIX = {"working/provision_matrix", "working/provision_trends"}


class Council:
    """A lake with a few tables, and a configuration that can be changed."""

    def __init__(self, spark, folder):
        self.spark, self.folder, self.lake = spark, folder, Lake(folder / "lake")
        shutil.copytree(CONF, folder / "conf")

    def sets(self, file, **values):
        path = self.folder / "conf" / "analyses" / file
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))

    def has(self, name, rows, schema):
        frame = self.spark.createDataFrame(rows, schema)
        write_deltalake(str(self.lake.storage.root / name), frame.toArrow())

    def has_agreements(self, dataset):
        day = date(2010, 1, 1)
        rows = [
            (1, 5, day, None, "HOME", "CHIRDRT", None, "B1 1AA", date(2015, 12, 31)),
            (1, 12, date(2011, 1, 1), None, "home", "OAHSGCO", None, "B2 1AA", date(2015, 12, 31)),
            (2, 70, day, None, "HOME", "OAEHSGCO", None, None, date(2015, 12, 31)),
        ]
        self.has(f"restricted/{dataset}", rows, AGREEMENTS)

    def makes(self):
        run = Run("provision", LocalStorage(self.folder), {})
        quiet = Progress(Console(quiet=True))
        conf = self.folder / "conf"
        ANALYSIS.job().run(Context(self.spark, self.lake, conf, None, None, run, quiet))
        return run

    def rows(self, name, *columns):
        frame = self.lake.read(self.spark, name).select(*columns)
        return sorted(map(tuple, frame.collect()), key=str)


@pytest.fixture
def council(spark, tmp_path):
    return Council(spark, tmp_path)


def test_without_boundaries_and_with_one_of_the_datasets(council):
    council.has_agreements("agreements_closed")
    run = council.makes()
    assert set(run.outputs) == WITHOUT_PLACES
    assert council.rows("working/dataset_totals", "dataset", "age_band", "people") == [
        ("agreements_closed", "0-11", 1),
        ("agreements_closed", "11-25", 1),
        ("agreements_closed", "65+", 1),
        ("agreements_closed", None, 2),
    ]
    # A spelling is corrected before elements are counted, and a service has no case.
    found = council.rows("working/elements_per_person", "kind", "age_band", "elements", "people")
    assert [row[2:] for row in found if row[:2] == ("distinct", None)] == [(1, 1), (2, 1)]
    assert {row[0] for row in council.rows("working/registered_services", "service")} == {"HOME"}
    said = "\n".join(run.warnings)
    assert (
        "working/dataset_totals is made without restricted/agreements_costed and "
        "restricted/agreements_adult, which the lake does not have." in said
    )
    assert "working/provision_matrix was not made: it needs reference/areas." in said
    assert (
        "working/density_series was not made: it needs reference/areas and "
        "reference/postcode_areas." in said
    )
    assert {Path(p).name for p in run.pictures} == {
        "elements_per_person.png",
        *(f"registered_services_{band}.png" for band in ("all", "0-11", "11-25", "65plus")),
    }


def test_districts_that_are_named_need_no_boundaries(council):
    council.has_agreements("agreements_closed")
    council.sets("provision.yaml", districts=["B1", "B22"], first_year=2010, last_year=2011)
    run = council.makes()
    assert set(run.outputs) == WITHOUT_PLACES | MATRIX
    assert council.rows("working/provision_matrix", "district", "year", "records") == [
        ("B1", 2010, 1), ("B1", 2011, 0), ("B22", 2010, 0), ("B22", 2011, 0),
    ]  # fmt: skip
    removed = council.rows("working/removed_rows", "analysis", "reason", "records")
    assert [row[1:] for row in removed if row[0] == "provision_matrix"] == [
        ("no_postcode", 1),
        ("outside_city", 1),
    ]
    assert "analyses/provision.yaml names the district B22, which no record has." in run.warnings


def test_matrix_needs_its_layer_in_the_boundaries(council):
    council.has_agreements("agreements_closed")
    council.has("reference/areas", [("ward", "W1")], "layer string, code string")
    run = council.makes()
    assert set(run.outputs) == WITHOUT_PLACES
    assert (
        "working/provision_matrix was not made: it needs the layer district in reference/areas, or "
        "`districts` in analyses/provision.yaml." in run.warnings
    )


def test_other_datasets_give_their_totals_only(council):
    council.has_agreements("agreements_adult")
    run = council.makes()
    assert set(run.outputs) == {"working/dataset_totals"}
    assert (
        "working/elements_per_person was not made: it needs restricted/agreements_closed."
        in run.warnings
    )


def test_no_agreements_at_all(council):
    with pytest.raises(MissingInputError, match="provision needs restricted/agreements_closed"):
        council.makes()
