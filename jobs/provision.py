"""Submits `provision`: agreements by time and place, with density and hot spots."""

from socare_spark.analyses.provision.job import ANALYSIS
from socare_spark.cli import main

if __name__ == "__main__":
    raise SystemExit(main(ANALYSIS.job()))
