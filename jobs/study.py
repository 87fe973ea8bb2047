"""Submits the study: runs all jobs in one session, then prints a summary on the terminal."""

from socare_spark.cli import main
from socare_spark.registry import JOBS
from socare_spark.report.summary import show

if __name__ == "__main__":
    raise SystemExit(main(JOBS, after=show))
