"""Reasons for which analyses exclude records."""

from socare_spark.places.assignment import UNLOCATED

NO_POSTCODE, OUTSIDE_CITY, OUTSIDE_YEARS = "no_postcode", "outside_city", "outside_years"

__all__ = ["NO_POSTCODE", "OUTSIDE_CITY", "OUTSIDE_YEARS", "UNLOCATED"]
