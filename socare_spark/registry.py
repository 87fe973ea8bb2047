"""The jobs of a study, in the order in which they run."""

from typing import Any

from socare_spark.analyses.combinations.job import ANALYSIS as COMBINATIONS
from socare_spark.analyses.cross_service.job import ANALYSIS as CROSS_SERVICE
from socare_spark.analyses.elements.job import ANALYSIS as ELEMENTS
from socare_spark.analyses.flow.job import ANALYSIS as FLOW
from socare_spark.analyses.forecast.job import ANALYSIS as FORECAST
from socare_spark.analyses.provision.job import ANALYSIS as PROVISION
from socare_spark.analyses.requests.job import ANALYSIS as REQUESTS
from socare_spark.analyses.use.job import ANALYSIS as USE
from socare_spark.analysis import Analysis, Job
from socare_spark.ingest.job import JOB as INGEST
from socare_spark.places.job import JOB as PLACES

# Analyses after those whose tables they read.
ANALYSES: tuple[Analysis[Any], ...] = (
    PROVISION,
    ELEMENTS,
    USE,
    FLOW,
    COMBINATIONS,
    REQUESTS,
    FORECAST,
    CROSS_SERVICE,
)
JOBS: tuple[Job, ...] = (INGEST, PLACES, *(analysis.job() for analysis in ANALYSES))
