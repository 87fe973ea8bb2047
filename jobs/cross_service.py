"""Submits `cross_service`: people by area and by the services that know them."""

from socare_spark.analyses.cross_service.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
