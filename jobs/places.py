"""Submits `places`: postcodes and areas in, every postcode placed in every layer."""

from socare_spark.cli import main
from socare_spark.places.job import JOB

if __name__ == "__main__":
    raise SystemExit(main(JOB))
