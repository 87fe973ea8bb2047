"""Submits `combinations`: combinations of reason and outcome."""

from socare_spark.analyses.combinations.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
