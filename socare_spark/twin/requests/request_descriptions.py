"""The descriptions of the CRM's requests: the printed ones first, then a long tail.

A description is given by its position, so that the same position means the same text in every
snapshot.
"""

import re
from collections.abc import Collection, Iterator
from itertools import islice

import pandas as pd

from socare_spark.twin.facts import FACTS

BELOW_TOP = "Street Lighting Fault"
# Table 26: descriptions used once, by snapshot.
ONCE = (
    (
        "wheelie bin replacement fee", "wheelie bin collection", "wheelie waste bin",
        "wheelie process", "wheelie men", "wheelie bins still not delivered",
        "wheelie bins not wanted", "wheelie bins not delivered", "wheelie bins non collection",
        "wheelie bins left across drive",
    ),
    (
        "wheelie bin size dispute", "wheelie bin size allocation", "wheelie bin replacement",
        "wheelie bin refuse bin men", "wheelie bin refuse", "wheelie bin proposal",
        "wheelie bin pod", "wheelie bin placement", "wheelie bin payment",
        "wheelie bin not suitable",
    ),
    (
        "wheelie bin lid missing-replacement cost", "wheelie bin issues",
        "wheelie bin household and recycling roll", "wheelie bin household",
        "wheelie bin feedback", "wheelie bin enquiry", "wheelie bin delivered no wanted",
        "wheelie bin assessment copy", "wheelie bin and rubbish bags not collect",
        "wheelie bin Charge",
    ),
)  # fmt: skip
AWKWARD = (
    'customer asks for "bulky waste", twice',
    "complaint, councillor enquiry\nsee letter",
    'bin "never" emptied, street corner',
    "noise, smoke, rats",
)
SUBJECTS = (
    "Council Tax", "Housing Benefit", "Refuse Sack", "Recycling Box", "Garden Waste",
    "Street Cleaning", "Pothole", "Pavement", "Street Tree", "Grass Cutting", "Park Bench",
    "Playground", "Allotment", "Library Card", "School Admission", "School Meals", "Blue Badge",
    "Bus Pass", "Residents Parking", "Parking Fine", "Bus Lane", "Traffic Lights", "Dropped Kerb",
    "Drain Cover", "Flooding", "Noise", "Dog Fouling", "Stray Dog", "Rats", "Wasps", "Bed Bugs",
    "Abandoned Car", "Graffiti", "Needles", "Fly Posting", "Trade Waste", "Skip Licence",
    "Taxi Licence", "Food Hygiene", "Planning Application", "Building Control", "Tree Preservation",
    "Birth Certificate", "Marriage Booking", "Burial Plot", "Electoral Register", "Postal Vote",
    "Adult Social Care", "Home Care", "Meals at Home", "Occupational Therapy", "Equipment Loan",
    "Child Minding", "Fostering", "Adoption", "Homeless", "Housing Register",
    "Council House Repair", "Boiler", "Roof Leak", "Lift", "Rent Account", "Right to Buy", "Garage",
    "Swimming Lesson", "Leisure Card", "Museum", "Events", "Neighbour Dispute",
    "Anti Social Behaviour",
)  # fmt: skip
MATTERS = (
    "Enquiry", "Request", "Complaint", "Refund", "Change of Address", "Renewal", "Cancellation",
    "Appeal", "Missed Visit", "Not Delivered", "Damaged", "Replacement", "Overcharge", "Payment",
    "Advice", "Update", "Booking", "Query Letter", "Call Back", "Report", "New Application",
    "Evidence", "Chase Up", "Copy", "Review", "Discount", "Arrears", "Lost", "Inspection",
    "Removal",
)  # fmt: skip
ENDINGS = (
    "", "-SREQ", " - Online", " - Urgent", " (Phone)", " - Letter", " - North", " - South",
    " - East", " - West", " - Out of Hours", " - Councillor", " - Second Time", " - Tenant",
    " - Owner", " - Business",
)  # fmt: skip

_DIGIT = re.compile(r"\d")


def printed() -> pd.DataFrame:
    """Table 25 as printed: snapshot, rank, description, records."""
    return pd.read_csv(FACTS / "table25.csv")


def tail(count: int, taken: set[str], awkward: bool) -> list[str]:
    """`count` different texts, none of them in `taken`; one in twelve is a variant of an earlier
    one.
    """
    special = AWKWARD[: max(1, min(len(AWKWARD), count // 20))] if awkward else ()
    found: list[str] = []
    seen = {*taken, *special}
    for text, _ in _candidates():
        if len(found) >= count - len(special):
            break
        if text not in seen:
            seen.add(text)
            found.append(text)
    for number, text in enumerate(special):  # neither among the commonest nor among the single ones
        found.insert(min(30 + number * count // 40, count // 3), text)
    return found


def respelled(texts: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of texts in two spellings of the same words: with one slip, or other marks or
    capitals.
    """
    known = set(texts)
    made = islice(_candidates(), 4 * len(known))
    return sorted(
        (text, of)
        for text, of in made
        if of in known and text in known and not text.endswith("-Sreq") and not _DIGIT.search(text)
    )


def _candidates() -> Iterator[tuple[str, str | None]]:
    """Goes through all subject x matter x ending in a scattered order, with a variant after every
    eleventh.
    """
    subjects, matters, endings = len(SUBJECTS), len(MATTERS), len(ENDINGS)
    size = subjects * matters * endings
    number = 0
    while True:
        place, turn = number % size, number // size
        scattered = place * 7_919 % size
        subject = SUBJECTS[scattered % subjects]
        matter = MATTERS[scattered // subjects % matters]
        ending = ENDINGS[scattered // subjects // matters]
        text = f"{subject} {matter}{ending}" + (f" {turn + 1}" if turn else "")
        text = text.lower() if scattered % 5 == 3 else text
        yield text, None
        if number % 11 == 10:
            yield _variant(text, number // 11), text
        number += 1


def _variant(text: str, turn: int) -> str:
    """The same text in another spelling: a stop, a dash, capitals, a letter lost, two letters
    changed over.
    """
    middle = len(text) // 2
    forms = (
        f"{text}.",
        text.replace(" ", "-", 1),
        text.upper(),
        text[:middle] + text[middle + 1 :],
        text[: middle - 1] + text[middle] + text[middle - 1] + text[middle + 1 :],
        f"{text}-Sreq",
    )
    return " ".join(forms[turn % len(forms)].split())
