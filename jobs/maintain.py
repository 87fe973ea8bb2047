"""Submits `maintain`: deletes old versions, people without records and files without a source."""

from socare_spark.cli import main
from socare_spark.maintenance.job import JOB

if __name__ == "__main__":
    raise SystemExit(main(JOB))
