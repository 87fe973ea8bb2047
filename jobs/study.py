"""Submits the whole study: all jobs in one session, then the results as a page on the terminal."""

from socare_spark.analyses.combinations.job import ANALYSIS as COMBINATIONS
from socare_spark.analyses.cross_service.job import ANALYSIS as CROSS_SERVICE
from socare_spark.analyses.elements.job import ANALYSIS as ELEMENTS
from socare_spark.analyses.flow.job import ANALYSIS as FLOW
from socare_spark.analyses.forecast.job import ANALYSIS as FORECAST
from socare_spark.analyses.provision.job import ANALYSIS as PROVISION
from socare_spark.analyses.requests import ANALYSIS as REQUESTS
from socare_spark.analyses.use.job import ANALYSIS as USE
from socare_spark.cli import main
from socare_spark.ingest.job import JOB as INGEST
from socare_spark.places.job import JOB as PLACES
from socare_spark.report.summary import show

JOBS = [
    INGEST,
    PLACES,
    PROVISION.job(),
    ELEMENTS.job(),
    USE.job(),
    FLOW.job(),
    COMBINATIONS.job(),
    REQUESTS.job(),
    FORECAST.job(),
    CROSS_SERVICE.job(),
]

if __name__ == "__main__":
    raise SystemExit(main(JOBS, after=show))
