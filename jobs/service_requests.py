"""Submits `requests`: service requests by snapshot."""

from socare_spark.analyses.requests.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
