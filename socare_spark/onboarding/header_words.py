"""Words of headers, and the words by which a header names the subject of its column."""

import re

# The returns of children's services write LAchildID, without a capital letter.
_PARTS = re.compile(r"LA(?=[a-z]{3})|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TOKENS = re.compile(r"[A-Za-z0-9]+")
_INITIALS = re.compile(r"\b(?:[A-Za-z]\.){2,}")
# Words that end a header without a mark before them, as in PERID or REQUESTID.
_ENDINGS = (
    "id", "ref", "dob", "date", "postcode", "surname", "forename", "name", "code", "address",
    "notes", "comments", "phone", "mobile", "email", "worker", "officer", "number",
)  # fmt: skip


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Words that are usual in headers and rare as whole cells.
USUAL = word_set(
    "id ref reference key no num number code type name surname forename first last middle title "
    "date time start end from to day month year week quarter period dob birth age sex gender "
    "ethnicity ethnic postcode post zip address street town city county country ward area lsoa "
    "msoa district region locality easting eastings northing northings latitude longitude lat lon "
    "lng x y description desc reason outcome status category group service team provider "
    "department amount cost price value total count rate percent score phone telephone tel mobile "
    "email mail notes note comment comments person client customer child case request event "
    "activity resource user worker officer created updated opened closed decision referral "
    "assessment plan placement school nhs uprn upn nino la authority centre site location council "
    "population band sector industry currency unit units quantity qty issued expiry expires"
)
# Words that are one word in any case: DoB, and those that only seem to end in another word.
_WHOLE = USUAL | word_set(
    "dob yob nok nhsno nhsnumber nino uprn usrn upn uln barcode dfe "
    "covid valid invalid paid unpaid prepaid repaid overpaid underpaid rapid solid liquid hybrid "
    "avoid legalaid firstaid medicaid candidate mandate validate consolidate"
)


def words_of(header: str) -> list[str]:
    """The words of a header in lower case: `DateOfBirth`, `DATE_OF_BIRTH` -> date, of, birth."""
    # Initials are one word: D.O.B., N.H.S.
    header = _INITIALS.sub(lambda match: match[0].replace(".", ""), header)
    words: list[str] = []
    for token in _TOKENS.findall(header):
        parts = [token] if token.lower() in _WHOLE else _PARTS.findall(token)
        words += [part.lower() for part in parts]
    return [part for word in words for part in _split_ending(word)]


def _split_ending(word: str) -> list[str]:
    if word in _WHOLE:
        return [word]
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) >= len(e) + 3), "")
    return [word[: -len(ending)], ending] if ending else [word]


def has_any(words: list[str], names: frozenset[str]) -> bool:
    """Whether one of the words is among the names, also in the plural."""
    return any(word in names or word.removesuffix("s") in names for word in words)
