"""Submits `forecast`: quarterly people, cost and requests to be expected."""

from socare_spark.analyses.forecast.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
