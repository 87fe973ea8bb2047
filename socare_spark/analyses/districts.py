"""The postcode districts of the city."""

from socare_spark.inputs import Inputs
from socare_spark.places.reference_tables import AREAS


def districts_of(inputs: Inputs, layer: str) -> list[str] | None:
    """Reads the city's postcode districts in order; None if the lake has no such layer of areas."""
    if not inputs.exists(AREAS):
        return None
    areas = inputs.to_pandas(AREAS, "layer", "code")
    return sorted(areas.loc[areas["layer"] == layer, "code"]) or None
