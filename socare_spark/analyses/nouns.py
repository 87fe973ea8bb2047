"""Names of the records of datasets in the texts of charts."""

from pathlib import Path

from socare_spark.analyses.extracts import contract_of
from socare_spark.contracts.nouns import Noun

RECORD = Noun(one="record", many="records")


def noun_of(conf: Path, dataset: str) -> Noun:
    """Name of a record of a dataset, from its contract; `record` if it declares none."""
    contract = contract_of(conf, dataset)
    return RECORD if contract is None else contract.socare.noun or RECORD


def layer_name(layer: str) -> str:
    """Name of a layer in titles: `postcode district` for districts, otherwise the layer."""
    return "postcode district" if layer == "district" else layer
