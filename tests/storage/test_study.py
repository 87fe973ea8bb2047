"""The whole study on S3: the tables of a study on a disk."""

from io import StringIO

from lakes import differences, upload
from processes import twin
from rich.console import Console
from studies import run_here

from socare_spark.errors import ExitCode
from socare_spark.registry import JOBS
from socare_spark.storage.hadoop import HadoopStorage
from socare_spark.storage.local import LocalStorage


def test_a_study_on_s3_has_the_tables_of_a_study_on_a_disk(spark, bucket, tmp_path):
    landing = twin(tmp_path / "landing", 0.002)
    upload(landing, HadoopStorage(spark, f"{bucket}/landing", tmp_path / "upload"))
    for folder in (bucket, tmp_path):
        arguments = ("--landing", f"{folder}/landing", "--mlflow", "off")
        scratch = tmp_path / "scratch"
        console = Console(file=StringIO(), width=200)
        done = run_here(
            spark, folder, JOBS, *arguments, key="demo", scratch=scratch, console=console
        )
        assert done == ExitCode.DONE, console.file.getvalue()
    lake = HadoopStorage(spark, f"{bucket}/lake", tmp_path / "mirror")
    local = LocalStorage(tmp_path / "lake")
    assert differences(local, lake) == {}
    pictures = {file.name for file in local.files("working/pictures")}
    assert pictures
    assert {file.name for file in lake.files("working/pictures")} == pictures
