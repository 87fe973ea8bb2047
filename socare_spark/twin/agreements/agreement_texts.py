"""The texts of people, places and elements that the cells of extracts are taken from."""

from dataclasses import dataclass

from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.population.universe import GENDERS, Universe
from socare_spark.twin.vocabulary import vocabulary


@dataclass(frozen=True)
class AgreementTexts:
    """The texts that agreement cells are taken from."""

    element: csv_cells.Texts
    description: csv_cells.Texts
    service: csv_cells.Texts
    service_description: csv_cells.Texts
    group: csv_cells.Texts
    gender: csv_cells.Texts
    ethnicity: csv_cells.Texts
    postcode: csv_cells.Texts


def agreement_texts(universe: Universe) -> AgreementTexts:
    """Collects the texts from the vocabulary and the city."""
    words = vocabulary("elements")
    every = elements()
    return AgreementTexts(
        csv_cells.Texts([e.code for e in every]),
        csv_cells.Texts([e.description for e in every]),
        csv_cells.Texts([e.service for e in every]),
        csv_cells.Texts([words["services"][e.service] for e in every]),
        csv_cells.Texts([words["client_groups"][e.client_group] for e in every]),
        csv_cells.Texts(GENDERS),
        csv_cells.Texts(universe.ethnic_labels),
        csv_cells.Texts(universe.city.postcodes.text.tolist()),
    )
