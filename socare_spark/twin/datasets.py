"""The datasets of the synthetic study, in the order in which they are written."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from socare_spark.twin.agreements.agreement_extract import agreement_extract
from socare_spark.twin.agreements.agreement_records import Agreements
from socare_spark.twin.agreements.closed_agreements import closed_agreements
from socare_spark.twin.agreements.costed_agreements import costed_agreements
from socare_spark.twin.assessments.adult_extract import adult_extract
from socare_spark.twin.assessments.adult_flow import (
    adult_agreements,
    adult_assessments,
    adult_flow,
)
from socare_spark.twin.assessments.childrens_assessments import childrens_assessments
from socare_spark.twin.assessments.childrens_extract import childrens_extract
from socare_spark.twin.counting import totals
from socare_spark.twin.csv_writer.extract import Extract, Met
from socare_spark.twin.draws import Draws, Ints
from socare_spark.twin.housing.crosswalk import COPIES, Crosswalk
from socare_spark.twin.housing.housing_extracts import crosswalk_extract, tenancies_extract
from socare_spark.twin.housing.tenancies import tenancies
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.requests.crm_requests import requests
from socare_spark.twin.requests.requests_extract import requests_extract
from socare_spark.twin.truth.adult_truth import adult_marginals
from socare_spark.twin.truth.agreement_truth import agreement_marginals
from socare_spark.twin.truth.childrens_truth import childrens_marginals
from socare_spark.twin.truth.requests_truth import requests_marginals

SOCIAL_CARE = "social_care"


def extracts(
    universe: Universe, draws: Draws, scale: float, pairs: Crosswalk, *, awkward: bool
) -> Iterator[Extract]:
    """Makes one dataset after the other, so that only one is held in memory.

    Args:
        universe: The people.
        draws: The draws of the study.
        scale: The scale of the study.
        pairs: The crosswalk.
        awkward: Whether some descriptions of requests are hard to read.
    """
    yield _agreements(universe, draws, closed_agreements(universe, draws, scale))
    yield _agreements(universe, draws, costed_agreements(universe, draws, scale))
    yield from _adults(universe, draws, scale)
    yield _children(universe, draws, scale)
    yield _requests(universe, draws, scale, awkward)
    yield from _housing(universe, draws, pairs)


def _agreements(universe: Universe, draws: Draws, agreements: Agreements) -> Extract:
    return replace(
        agreement_extract(universe, draws, agreements),
        marginals=lambda: agreement_marginals(universe, draws, agreements),
    )


def _adults(universe: Universe, draws: Draws, scale: float) -> Iterator[Extract]:
    flow = adult_flow(universe, draws, scale)
    agreements = adult_agreements(universe, draws, scale, flow)
    yield replace(
        _agreements(universe, draws, agreements),
        met=_at_home(universe, agreements.person, agreements.start),
    )
    assessments = adult_assessments(universe, draws, scale, flow)
    yield replace(
        adult_extract(universe, draws, assessments),
        marginals=lambda: adult_marginals(universe, assessments, agreements),
        met=_at_home(universe, flow.pool[assessments.place], assessments.start),
    )


def _children(universe: Universe, draws: Draws, scale: float) -> Extract:
    records = childrens_assessments(universe, draws, scale)
    return replace(
        childrens_extract(universe, draws, records),
        marginals=lambda: childrens_marginals(records),
        met=_at_home(universe, records.person, records.start),
    )


def _requests(universe: Universe, draws: Draws, scale: float, awkward: bool) -> Extract:
    records = requests(draws, scale, awkward)
    return replace(
        requests_extract(universe, draws, records),
        marginals=lambda: requests_marginals(universe, draws, records),
    )


def _housing(universe: Universe, draws: Draws, pairs: Crosswalk) -> Iterator[Extract]:
    records = tenancies(draws, pairs.tenants)
    yield replace(
        tenancies_extract(universe, draws, records), marginals=lambda: totals(records.tenant)
    )
    rows = np.concatenate([pairs.in_copy(copy) for copy in COPIES])
    yield replace(crosswalk_extract(universe, pairs), marginals=lambda: totals(pairs.person[rows]))


def _at_home(universe: Universe, person: np.ndarray, start: np.ndarray) -> Callable[[Ints], Met]:
    """The people whom social care met: each at home on the day, none of them without a name."""

    def met(_nameless: Ints) -> Met:
        who, on = person.astype(np.int64), start.astype(np.int64)
        return Met(SOCIAL_CARE, who, universe.postcode(who, on), on)

    return met
