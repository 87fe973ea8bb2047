"""Submits `doctor`: checks versions, stores, lock, executors and key, and changes no table."""

from socare_spark.doctor.command import main

if __name__ == "__main__":
    raise SystemExit(main())
