"""Submits `places`: loads postcodes and areas, and assigns postcodes to areas."""

from socare_spark.cli import main
from socare_spark.places.job import JOB

if __name__ == "__main__":
    raise SystemExit(main(JOB))
