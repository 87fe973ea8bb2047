"""The synthetic city, its people, and the reference sources that describe the city."""
