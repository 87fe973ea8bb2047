"""The columns that a contract gives to the restricted table of its dataset, with their types."""

from socare_spark.contracts.contract import SOURCE_LINE, Contract
from socare_spark.contracts.field import Field
from socare_spark.contracts.place_columns import PLACE

PSEUDONYM = "pseudonym"


def column_types(contract: Contract) -> dict[str, str]:
    """Lists the columns of the restricted table.

    Returns:
        Column -> `string`, `integer`, `number`, `boolean`, `date` or `datetime`; `pseudonym` for a
        pseudonymised column.
    """
    types = {}
    for field in contract.fields:
        treatment = field.socare
        if not treatment.drop:
            types[field.output] = _type(field)
        if treatment.age:
            types[treatment.age.name] = "integer"
        if treatment.status:
            types[treatment.status] = "string"
        if treatment.day:
            types[treatment.day] = "date"
    if contract.socare.place is not None:
        types[PLACE] = "string"
    types[contract.socare.extract_column] = "date"
    return types | dict(zip(SOURCE_LINE, ("string", "integer"), strict=True))


def _type(field: Field) -> str:
    if field.socare.pseudonymise:
        return PSEUDONYM
    return "date" if field.socare.degrade in ("month", "year") else field.type
