"""Submits `forecast`: quarterly forecasts of people, cost and requests."""

from socare_spark.analyses.forecast.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
