"""Submits `elements`: comparison of elements of service."""

from socare_spark.analyses.elements.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
