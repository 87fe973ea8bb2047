"""The study as a DAG of Airflow: one task for each job, in the order of the study.

Copy this file and `tables.json` to the folder of the DAGs. The environment of the scheduler and of
the workers names the folders:

- `SOCARE_ROOT`: the checkout on the workers. The driver runs on the worker (client mode).
- `SOCARE_LAKE`, `SOCARE_LANDING`: the lake and the landing folder, as paths or URIs.
- `SOCARE_SPARK_CONF`: the properties file; `conf/spark/cluster.conf` of the checkout by default.
- `SOCARE_SCHEDULE`: the schedule; monthly by default.
- `SOCARE_CLASS_PATH`: jars on the disk of the worker, if they are not resolved by
  `spark.jars.packages`.

The workers also have the key of `ingest` (`SOCARE_KEY_FILE` or `SOCARE_KEY`). The DAG does not
contain it.

A job ends with an exit code. 3 (data were refused or are missing; the log names them) is a warning
in the log of the task. 5 (the lake is in use) skips the task and those after it. 6 (a disk, a
connection or a cluster failed) is tried again. All other codes fail at once.
"""

import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG, Asset, chain

DONE, DATA, LOCKED, INFRASTRUCTURE = 0, 3, 5, 6
ROOT = Path(os.environ.get("SOCARE_ROOT", "/opt/socare_spark"))
LAKE = os.environ.get("SOCARE_LAKE", "/data/lake")
LANDING = os.environ.get("SOCARE_LANDING", "/data/landing")
PROPERTIES = os.environ.get("SOCARE_SPARK_CONF", str(ROOT / "conf" / "spark" / "cluster.conf"))
CLASS_PATH = os.environ.get("SOCARE_CLASS_PATH")
# Job -> the tables that it writes, in the order of the study.
TABLES = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))


class StudyJobOperator(SparkSubmitOperator):
    """Submits a job and translates its exit code to a state of the task."""

    def execute(self, context: Any) -> None:  # noqa: ANN401 - of Airflow
        """Runs the job.

        Raises:
            AirflowSkipException: another job holds the lake.
            AirflowFailException: the job failed, and would fail again.
            AirflowException: the infrastructure failed; Airflow tries again.
        """
        try:
            super().execute(context)
        except AirflowException as error:
            process = getattr(self._hook, "_submit_sp", None)
            code = getattr(process, "returncode", None) or 1
            cause = error
        else:
            return
        if code == DATA:
            self.log.warning("%s refused data: the log above has the reasons.", self.task_id)
        elif code == LOCKED:
            raise AirflowSkipException(f"{self.task_id}: the lake is in use by another job.")
        elif code == INFRASTRUCTURE:
            raise AirflowException(f"{self.task_id}: the infrastructure failed (6).") from cause
        else:
            raise AirflowFailException(f"{self.task_id} ended with code {code}.") from cause


def job_file(job: str) -> str:
    """The file of a job. That of `requests` has another name, because a library is called so."""
    return str(ROOT / "jobs" / f"{'service_requests' if job == 'requests' else job}.py")


def asset(name: str) -> Asset:
    """A table of the lake as an asset."""
    return Asset(name=f"{LAKE.rstrip('/')}/{name}", uri=f"{_uri(LAKE)}/{name}")


def _uri(location: str) -> str:
    return location.rstrip("/") if "://" in location else f"file://{location.rstrip('/')}"


def task_of(job: str, written: Sequence[str]) -> StudyJobOperator:
    """The task of a job.

    Args:
        job: Name of the job.
        written: The tables that it writes.
    """
    reads = [Asset(name=LANDING, uri=_uri(LANDING))] if job in ("ingest", "places") else []
    if job != "ingest":
        reads += [asset(table) for table in TABLES["ingest"]]
    arguments = ["--lake", LAKE, "--conf", str(ROOT / "conf")]
    if reads and reads[0].name == LANDING:
        arguments += ["--landing", LANDING]
    return StudyJobOperator(
        task_id=job,
        application=job_file(job),
        application_args=arguments,
        properties_file=PROPERTIES,
        driver_class_path=CLASS_PATH,
        conf={"spark.jars.packages": ""} if CLASS_PATH else None,
        name=f"socare {job}",
        inlets=reads,
        outlets=[asset(table) for table in written],
        retries=2,
        retry_delay=timedelta(minutes=5),
    )


with DAG(
    dag_id="socare_study",
    description=__doc__.partition("\n")[0],
    doc_md=__doc__,
    schedule=os.environ.get("SOCARE_SCHEDULE", "@monthly"),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    # The lake has one writer.
    max_active_runs=1,
    max_active_tasks=1,
) as dag:
    chain(*(task_of(job, written) for job, written in TABLES.items()))
