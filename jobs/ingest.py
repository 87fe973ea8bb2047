"""Submits `ingest`: extract files in, restricted tables and a balanced ledger out."""

from socare_spark.cli import main
from socare_spark.ingest.job import JOB

if __name__ == "__main__":
    raise SystemExit(main(JOB))
