"""Submits `use`: who uses elements of service when, how long, from whom and at what cost."""

from socare_spark.analyses.use.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
