"""Submits `use`: people, duration, provider and cost of elements of service."""

from socare_spark.analyses.use.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
