"""Submits `flow`: people in the stages of a process."""

from socare_spark.analyses.flow.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
