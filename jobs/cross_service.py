"""Submits `cross_service`: all services by area, and whom several services know."""

from socare_spark.analyses.cross_service.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
