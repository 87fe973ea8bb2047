"""Submits `elements`: elements of service against each other."""

from socare_spark.analyses.elements.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
