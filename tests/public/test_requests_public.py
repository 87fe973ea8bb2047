"""Five years of a city's service requests, one file a year, by configuration alone."""

import shutil

import duckdb
import pytest
import yaml
from rich.console import Console

from socare_spark.analyses.forecast.job import ANALYSIS as FORECAST
from socare_spark.analyses.requests.job import ANALYSIS as REQUESTS
from socare_spark.analysis import Context
from socare_spark.ingest.job import JOB as INGEST
from socare_spark.lake.lake import Lake
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

PROJECT = "{council: c, project: p, key_id: k, schemes: {}}"
CONTRACT = r"""
name: csb
schema:
  primaryKey: none
  fields:
    - name: DATETIMEINIT
      type: datetime
      format: "%Y-%m-%d %H:%M:%S.%f"
      socare: {keep: as_is, as: opened}
    - {name: PLAIN_ENGLISH_NAME_FOR_PROBLEMCODE, socare: {keep: as_is, as: topic}}
socare:
  files: '(?P<period>\d{4})\.csv'
"""
SETTINGS = {
    "requests": {
        "dataset": "csb", "roles": {"description": "topic", "person": None}, "top": 3, "drawn": 3,
    },
    "forecast": {
        "horizon": 4, "shortest": 16, "origins": 2, "least_people": 10, "agreements": "none",
        "requests": {
            "dataset": "csb", "roles": {"description": "topic", "time": "opened", "person": None},
            "top": 1,
        },
    },
}  # fmt: skip
TOPIC = "nullif(trim(PLAIN_ENGLISH_NAME_FOR_PROBLEMCODE), '')"


@pytest.fixture
def city(spark, tmp_path, public_data, monkeypatch):
    """The context of each job that ran, and the files of the years."""
    monkeypatch.setenv("SOCARE_KEY", "22" * 32)
    # Rejected lines are written next to the landing folder.
    landing, conf = tmp_path / "landing", tmp_path / "conf"
    shutil.copytree(public_data / "requests" / "stlouis_csb", landing)
    for folder in ("analyses", "datasets"):
        (conf / folder).mkdir(parents=True)
    (conf / "project.yaml").write_text(PROJECT)
    (conf / "datasets" / "csb.yaml").write_text(CONTRACT)
    for name, settings in SETTINGS.items():
        (conf / "analyses" / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    lake, quiet = Lake(tmp_path / "lake"), Progress(Console(quiet=True))
    for job in (INGEST, REQUESTS.job(), FORECAST.job()):
        run = Run(job.name, LocalStorage(tmp_path), {})
        job.run(Context(spark, lake, conf, Landing(landing), None, run, quiet))
    return lake, landing


def test_each_year_has_its_requests_and_all_years_are_forecast(city):
    lake, landing = city
    database = duckdb.connect()
    database.execute(
        f"CREATE TABLE r AS SELECT {TOPIC} AS topic, DATETIMEINIT::TIMESTAMP AS opened, "
        "parse_filename(filename, true)::INTEGER AS year "
        f"FROM read_csv('{landing}/*.csv', all_varchar=true, filename=true)"
    )
    by_year = database.execute(
        "SELECT year, count(*), count(DISTINCT topic) FROM r WHERE topic IS NOT NULL GROUP BY year"
    ).fetchall()
    made = lake.to_pandas(REQUESTS.writes[0], "snapshot", "records", "descriptions")
    assert len(by_year) == 5
    assert sorted((d.year, n, k) for d, n, k in made.itertuples(index=False)) == sorted(by_year)
    # The years of the files are whole, although the first request is of September 2008.
    (name,) = database.execute(
        "SELECT topic FROM r WHERE topic IS NOT NULL GROUP BY topic ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    quarters = database.execute(
        "SELECT year(opened) || 'Q' || quarter(opened) AS q, count(*) FROM r WHERE topic = ? "
        "GROUP BY q ORDER BY q",
        [name],
    ).fetchall()
    series = lake.to_pandas(FORECAST.writes[0], "period", "actual").sort_values("period")
    actual = series.dropna(subset="actual")
    assert [*actual.itertuples(index=False, name=None)] == quarters[1:]
    assert len(series) == len(actual) + 4
