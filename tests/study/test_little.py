"""A council with little: a study of some of the extracts makes what they allow, and is done."""

import io
import shutil

import pytest
from processes import twin
from rich.console import Console
from studies import run_here

from socare_spark.errors import ExitCode
from socare_spark.lake.lake import Lake
from socare_spark.registry import JOBS

ALL = {table.path for job in JOBS for table in job.writes}


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    return twin(tmp_path_factory.mktemp("little") / "landing", 0.002)


@pytest.fixture
def studied(spark_session, landing, tmp_path):
    def study(*folders):
        some = tmp_path / "landing"
        some.mkdir()
        shutil.copy(landing / "truth.json", some)
        for folder in folders:
            shutil.copytree(landing / folder, some / folder)
        text = Console(record=True, width=500, file=io.StringIO())
        given = ("--landing", str(some), "--mlflow", "off")
        ending = run_here(spark_session, tmp_path, JOBS, *given, key="11" * 32, console=text)
        assert ending == ExitCode.DONE, text.export_text()
        lake = Lake(tmp_path / "lake")
        return {name for name in ALL if lake.exists(name)}, text.export_text()

    return study


def names(text):
    return {f"working/{name}" for name in text.split()}


def test_requests_alone(studied):
    made, said = studied("requests")
    assert (
        names(
            "request_snapshots request_top request_single_use request_variants unlinkable "
            "cross_service_people forecast forecast_backtest"
        )
        <= made
    )
    assert not made & names("dataset_totals stage_totals combinations users_by_quarter density")
    for job in ("places", "provision", "elements", "use", "flow", "combinations"):
        assert f"{job} " in said


def test_agreements_without_boundaries_or_postcodes(studied):
    made, _ = studied("agreements_costed", "agreements_closed")
    assert (
        names(
            "dataset_totals dense_window registered_services elements_per_person element_profile "
            "element_variants users_by_quarter users_between_quarters threshold_use "
            "element_cost_by_year provision_split region_profile"
        )
        <= made
    )
    assert not made & names("density provision_matrix request_top stage_totals combinations")
