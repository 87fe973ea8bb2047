"""Columns that give the place of a record by an area code or by coordinates."""

from typing import Self

from pydantic import Field as Key
from pydantic import model_validator

from socare_spark.config import StrictModel
from socare_spark.contracts.header_names import NAME

PLACE = "place"


class PlaceColumns(StrictModel):
    """The columns of a record's place, which is written as the column `place`.

    Attributes:
        area: Field with the code of an area.
        layer: Layer of conf/places.yaml whose codes these are.
        x: Field with the easting or longitude.
        y: Field with the northing or latitude.
        crs: Coordinate system of x and y, such as EPSG:27700 or EPSG:4326.
    """

    area: str | None = None
    layer: str | None = Key(default=None, pattern=NAME)
    x: str | None = None
    y: str | None = None
    crs: str | None = Key(default=None, pattern=r"^[A-Z]+:[0-9]+$")

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        by_area = [self.area is not None, self.layer is not None]
        by_coordinates = [self.x is not None, self.y is not None, self.crs is not None]
        if not (all(by_area) ^ all(by_coordinates)) or (any(by_area) and any(by_coordinates)):
            raise ValueError("needs area and layer, or x, y and crs")
        if self.x is not None and self.x == self.y:
            raise ValueError("x and y must be two columns")
        return self

    @property
    def columns(self) -> list[str]:
        """The fields that give the place."""
        return [name for name in (self.area, self.x, self.y) if name is not None]
