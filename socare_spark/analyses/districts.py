"""The districts of the city, and the district of a record."""

from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import contract_of
from socare_spark.inputs import Inputs
from socare_spark.places.recorded_places import areas_by_place
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS
from socare_spark.postcode_columns import district_of

POSTCODE = "postcode"
# Column with the district of a record whose place is not a postcode.
_DISTRICT = "_district"


def districts_of(inputs: Inputs, layer: str) -> list[str] | None:
    """Reads the city's districts in order; None if the lake has no such layer of areas."""
    if not inputs.exists(AREAS):
        return None
    areas = inputs.to_pandas(AREAS, "layer", "code")
    return sorted(areas.loc[areas["layer"] == layer, "code"]) or None


def has_postcodes(conf: Path, dataset: str, place: str | None) -> bool:
    """Whether the role `place` of a dataset is a postcode.

    It is one under its default name, and if the contract keeps the column as a postcode.
    """
    contract = contract_of(conf, dataset)
    if contract is None or place in (None, POSTCODE):
        return True
    return any(f.socare.is_postcode for f in contract.fields if f.output == place)


def with_district(
    inputs: Inputs, rows: DataFrame, dataset: str, place: str | None, layer: str
) -> DataFrame:
    """Prepares rows for `district_column`.

    The district of a postcode is parsed from its text, so terminated postcodes have one too. The
    district of another place is its area of a layer.

    Args:
        inputs: The inputs of the run.
        rows: Rows with the place in the column `postcode`.
        dataset: Their dataset.
        place: Column of the role `place`.
        layer: Layer of the city's districts.

    Returns:
        The rows; if places are not postcodes, with a further column.
    """
    if has_postcodes(inputs.conf, dataset, place):
        return rows
    if not inputs.exists(POSTCODE_AREAS):
        return rows.withColumn(_DISTRICT, F.lit(None).cast("string"))
    areas = areas_by_place(inputs).where(F.col("layer") == layer)
    return rows.join(areas.select(POSTCODE, F.col("code").alias(_DISTRICT)), POSTCODE, "left")


def district_column(rows: DataFrame) -> Column:
    """The district of each row of `with_district`."""
    if _DISTRICT in rows.columns:
        return F.col(_DISTRICT)
    return district_of(F.col(POSTCODE))
