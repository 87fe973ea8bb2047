"""Submits `ingest`: loads extract files into restricted tables with a balanced ledger."""

from socare_spark.cli import main
from socare_spark.ingest.job import JOB

if __name__ == "__main__":
    raise SystemExit(main(JOB))
