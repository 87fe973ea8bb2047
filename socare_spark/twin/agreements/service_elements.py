"""The service elements of conf/vocabulary/elements.yaml, and how common each is."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from socare_spark.twin.draws import Floats
from socare_spark.twin.vocabulary import vocabulary

# How common an element is within a band, by client group and by service; elements not of the band's
# groups never occur.
BAND_GROUPS: tuple[dict[str, float], ...] = (
    {"CH": 1.0},
    {"CH": 0.8, "LD": 0.25, "MH": 0.1, "PD": 0.08, "SM": 0.03},
    {"LD": 1.0, "MH": 0.7, "PD": 0.9, "SM": 0.2},
    {"OA": 1.0, "PD": 0.12, "MH": 0.08, "LD": 0.07},
)
NAMED_WEIGHTS: tuple[dict[str, float], ...] = (
    {"DIRCWD": 1.5, "CHELEAVC": 0.0, "CHILEAVC": 0.0},
    {"DIRCWD": 1.2, "DIRLD": 0.5, "DIRPD": 0.2},
    {"DIRLD": 1.2, "DIRPD": 1.4, "DIRMH": 0.8, "HSSU65UN": 2.4, "HSSUNGHT": 0.3, "OAEHSGCO": 2.0},
    {
        "DIROA": 1.6,
        "HSSU65PL": 7.0,
        "HSSUNGHT": 0.6,
        "OAEHSGCO": 9.0,
        "OAIHSENB": 3.0,
        "OAERESID": 2.6,
        "OAENURSE": 2.0,
    },
)


@dataclass(frozen=True)
class Element:
    """A service element of the vocabulary."""

    code: str
    description: str
    service: str
    client_group: str
    low: float
    high: float


@cache
def elements() -> tuple[Element, ...]:
    """The elements of conf/vocabulary/elements.yaml."""
    return tuple(
        Element(e["code"], e["description"], e["service"], e["client_group"], *e["weekly_cost"])
        for e in vocabulary("elements")["elements"]
    )


def element_of(code: str) -> int:
    """The position of an element."""
    return [e.code for e in elements()].index(code)


def element_weights(band: int) -> Floats:
    """The weight of each element among the records of an age band."""
    named, groups = NAMED_WEIGHTS[band], BAND_GROUPS[band]
    return np.array([named.get(e.code, groups.get(e.client_group, 0.0)) for e in elements()])
