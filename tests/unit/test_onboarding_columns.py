"""Types, formats, missing values and subjects of columns, by cases that match and that do not."""

import numpy as np
import pyarrow as pa
import pytest

from socare_spark.contracts.field import Field
from socare_spark.onboarding.cell_kinds import is_nhs_number, is_phone
from socare_spark.onboarding.column_facts import PERSONAL, ColumnFacts, Role
from socare_spark.onboarding.column_roles import role_of
from socare_spark.onboarding.header_words import words_of
from socare_spark.onboarding.type_inference import type_of
from socare_spark.postcodes import unit_postcode


def typed(texts, name="VALUE"):
    """Type of a column with these cells."""
    distinct, counts = np.unique(np.array(texts, dtype=object).astype(str), return_counts=True)
    return type_of(name, pa.array(distinct.tolist(), pa.string()), counts)


def role(name, texts):
    """Subject of a column with these cells."""
    filled = [text for text in texts if text]
    distinct = sorted(set(filled))
    length = sum(map(len, distinct)) / max(len(distinct), 1)
    return role_of(
        ColumnFacts(name, typed(texts, name), distinct, len(distinct), len(filled), length)
    )


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "20", "-3"], "integer"),
        (["6.0", "7.0", "8.0"], "integer"),
        (["06", "07", "11"], "string"),
        (["1,234", "12", "1,234,567"], "integer"),
        (["1.5", "2", "3.25"], "number"),
        (["1.555", "2.001"], "string"),
        (["1.500000", "2.250000"], "number"),
        (["£1,200.50", "£3.00"], "number"),
        (["£5", "€6"], "string"),
        (["1.00", "250.00"], "number"),
        (["(5.00)", "7.25"], "number"),
        (["12,50", "3,75"], "number"),
        (["12%", "13%"], "string"),
        (["1.2E+09", "3.4E+08"], "string"),
        (["Y", "N", "Y"], "boolean"),
        (["Y", "N", "U"], "string"),
        (["1", "0"], "boolean"),
        (["2017-06-30", "2017-07-01"], "date"),
        (["30/06/2017", "01/07/2017"], "date"),
        (["2017-06-30 10:00:00", "2017-07-01 11:30:00"], "datetime"),
        (["2017-06-30 00:00:00.0", "2017-07-01 00:00:00.0"], "date"),
        (["20170630", "20170701"], "integer"),
        (["red", "12", "2017-06-30"], "string"),
        (["", "NULL"], "string"),
    ],
)
def test_types(texts, expected):
    assert typed(texts).name == expected


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["30/06/2017", "01/07/2017"], ("%d/%m/%Y",)),
        (["06/30/2017", "07/01/2017"], ("%m/%d/%Y",)),
        (["30-Jun-17", "01-Jul-17"], ("%d-%b-%y",)),
        (["2015-01-05T10:00:00+01:00", "2015-01-05T09:00:00Z"], ("%Y-%m-%dT%H:%M:%S%z",)),
        (["01/05/2015 11:27:02 AM", "12/31/2015 01:00:00 PM"], ("%m/%d/%Y %I:%M:%S %p",)),
        (["2017-06-30", "2017-07-01", "30/06/2017"], ("%Y-%m-%d", "%d/%m/%Y")),
        (["98-06-30", "17-07-01"], ("%y-%m-%d",)),
        (["15-06-30", "15-07-31", "16-07-02"], ("%y-%m-%d",)),
        (["30-06-15", "31-07-15", "02-07-16"], ("%d-%m-%y",)),
        (["06-30-15", "07-31-15"], ("%m-%d-%y",)),
        (["17/06/30", "99/07/01"], ("%y/%m/%d",)),
    ],
)
def test_formats_of_dates(texts, formats):
    assert typed(texts).formats == formats


def test_eight_digits_are_a_date_under_a_header_of_dates():
    assert typed(["20170630", "20170701"], "START_DATE").formats == ("%Y%m%d",)


def test_day_and_month_that_can_be_swapped_are_a_doubt():
    found = typed(["01/02/2017", "03/04/2017"])
    assert found.formats == ("%d/%m/%Y",)
    assert any("other way round" in doubt for doubt in found.doubts)
    assert not typed(["01/02/2017", "30/04/2017"]).doubts


def test_dates_in_both_orders_are_text():
    found = typed(["30/06/2017", "06/30/2017"] * 200)
    assert found.name == "string"
    assert any("month first" in doubt for doubt in found.doubts)


def test_a_few_dates_of_the_other_order_are_quarantined():
    texts = [f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/2017" for n in range(10_000)]
    found = typed([*texts, "06/30/2017"])
    assert (found.name, found.formats, found.mismatches) == ("date", ("%d/%m/%Y",), 1)
    assert any(doubt.startswith("1 value has day and month") for doubt in found.doubts)


@pytest.mark.parametrize(
    ("texts", "doubt"),
    [
        (["15-06-30", "15-07-31"], "1969 to 2068"),
        (["01-02-03", "04-05-06"], "other way round"),
        (["2017-06-30", "30th of June 2017", "Easter 2017"], "look like dates"),
        (
            [*(f"{n}" for n in range(100_000, 100_400)), *["1.23457E+11"] * 80],
            "80 values are in E-n",
        ),
        ([f"{n}0000" for n in range(10**14, 10**14 + 9)], "end in zeros after 15 digits"),
        ([*["£5"] * 50, *["€6"] * 50], "several currencies (£ and €)"),
        ([*["1.23E11"] * 2, "12"], "2 values are in E-n"),
        ([*["123E-4"] * 2, "12"], "2 values are in E-n"),
        (["2015-07-04T00:00:00+02:00", "2015-07-05T00:00:00+02:00"], "declare zone and day"),
        (["2015-07-04T10:00:00", "2015-07-05T11:00:00"], "declare a zone"),
        (["2015-07-04T23:00:00Z", "2015-01-05T00:00:00Z"], "of the United Kingdom"),
    ],
)
def test_doubts(texts, doubt):
    found = typed(texts)
    assert any(doubt in each for each in found.doubts), found.doubts


@pytest.mark.parametrize(
    "texts",
    [["2015-07-04", "2015-07-05"], ["1234567890123456", "1234567890123457"], ["red", "blue"],
     ["2015-07-04T10:00:00Z", "2015-07-05T11:00:00Z"], ["201906E138182", "201907E138190"],
     ["12E34", "15E+1234"], ["1.5E1234", "1.5E12345"]],
)  # fmt: skip
def test_usual_texts_have_no_doubt(texts):
    assert not typed(texts).doubts


def test_one_currency_is_declared():
    found = typed([*["£5.00"] * 500, "$6.00"])
    assert (found.keys["bareNumber"], found.treatment["currency"]) == (False, ["£"])
    assert found.mismatches == 1


def test_a_later_text_decides_the_order_of_day_and_month():
    # The sample by which formats are proposed does not contain the only text that decides.
    texts = [f"{d:02d}/{m:02d}/{y}" for y in range(1950, 2010) for d in range(1, 13)
             for m in range(1, 13)]  # fmt: skip
    assert typed([*texts, "12/31/2011"]).formats == ("%m/%d/%Y",)


def test_open_ends_are_declared():
    assert typed(["31/12/9999", "30/06/2017"]).treatment == {"open_ended": ["9999-12-31"]}


def test_missing_values_of_typed_columns():
    assert typed(["1", "2", "*", "Unknown", "", "N/A"]).missing == ("", "N/A", "*", "Unknown")
    # In a column of texts these can be categories.
    assert typed(["red", "blue", "*", "Unknown", "", "N/A"]).missing == ("", "N/A")


def test_few_texts_of_another_type_do_not_change_it():
    texts = [str(n) for n in range(500)]
    found = typed([*texts, "abc"])
    assert (found.name, found.mismatches) == ("integer", 1)
    assert typed([*texts[:50], "abc"]).name == "string"


@pytest.mark.parametrize(
    "texts",
    [["1,234", "12"], ["£1.50", "2"], ["(5.00)", "7"], ["12,50", "1.234,50"], ["1", "0"]],
)
def test_declared_keys_are_valid(texts):
    found = typed(texts)
    Field.model_validate(
        {"name": "VALUE", "type": found.name, **found.keys,
         "socare": {"keep": "as_is", **found.treatment}}
    )  # fmt: skip


NHS = ["9434765919", "4010232137", "943 476 5870", "9434765838", "9434765889"]
NAMES = ["Sarah Khan", "John Smith", "Priya Patel", "Tom O'Neill", "Mary Jones"]
NOTES = [f"Visited the house on day {n} and spoke to the neighbour about it" for n in range(30)]


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("NHS_NO", NHS, Role.NHS),
        ("code", NHS, Role.NHS),
        ("code", ["9434765918", "4010232138", "9434765871", "9434765839", "9434765880"], Role.NONE),
        ("PERID", [str(n) for n in range(4_000_000, 4_000_030)], Role.PERSON),
        ("LAchildID", [f"C{n}" for n in range(100, 130)], Role.PERSON),
        ("UPN", [f"A{n:012d}" for n in range(30)], Role.PERSON),
        ("number_of_children", ["1", "2", "3", "0"] * 9, Role.NONE),
        ("client_group", ["OA", "LD", "MH"] * 9, Role.NONE),
        ("case_ref", [f"CS-{n:05d}" for n in range(30)], Role.OTHER_ID),
        ("SURNAME", ["Smith", "Jones", "Nguyen"], Role.NAME),
        ("Contact", NAMES, Role.NAME),
        ("Ward name", ["Acocks Green", "Allens Cross", "Alum Rock"], Role.NONE),
        ("library", ["Paulton Library", "Bath Central Library"] * 9, Role.NONE),
        ("caseworker", ["A12", "B17"] * 9, Role.STAFF),
        ("DOB", ["01/02/1950", "30/06/1990"], Role.BIRTH),
        ("D.O.B.", ["01/02/1950", "30/06/1990"], Role.BIRTH),
        ("D", [f"01/02/{year}" for year in range(1940, 2000)], Role.BIRTH),
        ("D", [f"01/02/{year}" for year in range(1990, 2015)], Role.NONE),
        ("START", ["01/02/1950", "30/06/1990"], Role.NONE),
        ("POSTCODE", ["B1 1AA", "B21 8XY"], Role.POSTCODE),
        ("HOME_POST", ["V28 5OY", "H8 7NR"], Role.POSTCODE),
        ("post_town", ["LONDON", "LEEDS"] * 9, Role.NONE),
        ("pc", ["B1", "B21"], Role.DISTRICT),
        ("Contact 2", ["a@b.org", "c.d@e.co.uk"], Role.EMAIL),
        ("handle", ["@alice", "@bob"] * 9, Role.NONE),
        ("Contact 3", ["0121 496 0123", "07700 900123"], Role.PHONE),
        ("amount", ["012", "034"], Role.NONE),
        ("NI", ["AB123456C", "CE 12 34 56 A"], Role.NATIONAL_INSURANCE),
        ("Visit notes", NOTES, Role.FREE_TEXT),
        ("REASON", NOTES, Role.FREE_TEXT),
        ("EXPLANATION", NOTES[:3] * 200, Role.FREE_TEXT),
        ("OUTCOME", NOTES[:3] * 200, Role.NONE),
        ("Where", ["12 High Street", "4a Mill Lane", "Flat 2, 9 Elm Road"], Role.ADDRESS),
        ("ward_code", ["E05011118", "E05011119"], Role.AREA),
        ("product", ["E05", "E06"] * 9, Role.NONE),
        ("Easting", [str(n) for n in range(406_000, 406_030)], Role.X),
        ("Northing", [str(n) for n in range(286_000, 286_030)], Role.Y),
        ("LATITUDE", [f"52.{n}" for n in range(4000, 4030)], Role.Y),
        ("relation", [str(n) for n in range(1000, 1030)], Role.NONE),
        ("Location", ["(42.3609, -71.1447)", "(42.3610, -71.1448)"], Role.POINT),
    ],
)  # fmt: skip
def test_subjects_of_columns(name, texts, expected):
    assert role(name, texts) == expected


@pytest.mark.parametrize(
    "name",
    ["LAchildID", "childLAId", "ClientRef", "Person number", "ID of pupil", "Customer no.",
     "carer_guid", "TenantReference", "UPN", "FormerUPN", "ChildrenID"],
)  # fmt: skip
@pytest.mark.parametrize(
    "texts",
    [["DfEX01", "fails"], ["a", "b"], ["1", "0"], ["A", "B", "C"] * 90, ["B1 1AA", "B2 4QA"],
     ["x", "y", "z", "w"], ["E05011118", "E05011119"]],
)  # fmt: skip
def test_a_header_alone_names_the_identifier_of_a_person(name, texts):
    assert role(name, texts) is Role.PERSON


def test_an_identifier_of_a_family_is_no_identifier_of_a_person():
    assert role("FamilyID", ["a", "b"]) is Role.OTHER_ID


@pytest.mark.parametrize("name", ["Client ID type", "UPNunknown", "No of clients", "Tenant case"])
def test_a_header_of_a_category_or_a_count_names_no_identifier(name):
    assert role(name, ["A", "B"] * 60) is not Role.PERSON


def test_a_column_without_values_has_the_subject_of_its_header():
    assert role("Date of birth", ["", ""]) == Role.BIRTH
    assert role("STATUS", ["", ""]) == Role.NONE


def test_check_digits_of_nhs_numbers():
    assert is_nhs_number("943 476 5919")
    assert not is_nhs_number("943 476 5918")
    assert not is_nhs_number("1111111111")


def test_phones():
    assert is_phone("+44 121 496 0123")
    assert not is_phone("01/02/2015")


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("b1 1aa", "B1 1AA"),
        ("B21-8XY", "B21 8XY"),
        ("B1 OAA", "B1 0AA"),
        ("V28 5OY", ""),
        ("B1", ""),
    ],
)
def test_unit_postcodes_of_texts(text, postcode):
    assert unit_postcode(text) == postcode


# Each person has several rows, and no common name.
UNUSUAL = [f"{first} {last}" for first in ("Nkechi", "Siobhan", "Ngozi", "Aoife", "Tadeusz")
           for last in ("Eze", "Balogun", "Okafor", "Wojcik", "Mbeki")] * 6  # fmt: skip


@pytest.mark.parametrize("count", [3, 25])
@pytest.mark.parametrize(
    "name",
    ["Name", "Cust name", "Client", "Child", "Mother", "Service user", "Contact", "Next of kin",
     "Known as", "Reported by", "Signature", "NOK", "Landlord", "Name of contact", "Column7"],
)  # fmt: skip
def test_repeated_names_are_not_kept(name, count):
    assert role(name, UNUSUAL[:count] * 10) in (Role.NAME, Role.STAFF)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Ethnicity", ["White British", "Black Caribbean", "Asian Other"]),
        ("Carer", ["Yes", "No", "Unknown"]),
        ("Contact method", ["Home Visit", "Phone Call", "Letter Sent"]),
        ("WD21NM", ["Acocks Green", "Allens Cross", "Alum Rock"]),
    ],
)
def test_categories_are_kept(name, texts):
    assert role(name, texts * 30) is Role.NONE


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Client group", ["Older Adults", "Learning Disability", "Mental Health"]),
        ("Lead provider", ["Acme Care", "Bright Homes", "Kind Hands"]),
        ("SUBJECT", ["Street Lighting", "Refuse Missed", "Abandoned Vehicle"]),
        ("GP practice", ["Oak Surgery", "Elm Surgery", "Ash Surgery"]),
        ("Type", [f"{first}y {second}e" for first in "ABCDE" for second in "VWXYZ"]),
    ],
)
def test_categories_in_the_form_of_names_are_a_decision(name, texts):
    found = role(name, [text.title() for text in texts] * 30)
    assert found is Role.LIKE_NAMES
    assert found not in PERSONAL


@pytest.mark.parametrize(
    "name", ["Title", "Agency", "Source", "Provider", "Item", "Description", "Role", "Foster home"]
)
def test_many_names_below_a_word_of_categories_are_not_kept(name):
    assert role(name, UNUSUAL * 10) is Role.NAME


@pytest.mark.parametrize("name", ["Ward", "School", "Library name", "Request type", "Team"])
def test_names_of_places_and_services_are_kept(name):
    assert role(name, UNUSUAL * 10) in (Role.NONE, Role.LIKE_NAMES)


@pytest.mark.parametrize(
    "name",
    ["Seen by", "Allocated to", "Lead", "GP", "School nurse", "SW", "Doctor", "Key worker", "IRO",
     "Headteacher", "Referrer"],
)  # fmt: skip
def test_a_few_employees_are_not_kept(name):
    assert role(name, ["A Eze", "B Balogun", "C Okafor", "D Wojcik"] * 50) is Role.STAFF


@pytest.mark.parametrize("name", ["Date of birth", "DoB", "D.O.B", "Client DOB type", "YOB"])
@pytest.mark.parametrize(
    "texts",
    [["01/02/1950", "00/00/1950"], ["c. 1950", "1951"], ["18294", "20155"], ["1950", "1962"],
     ["19500201", "19621130"], ["1950", "1951.5"]],
)  # fmt: skip
def test_birth_dates_of_an_unknown_form_are_not_kept(name, texts):
    assert role(name, texts * 30) is Role.BIRTH


def test_the_place_of_a_birth_is_not_its_date():
    assert role("Country of birth", ["India", "Poland"] * 30) is Role.NONE


def test_dates_over_a_life_with_short_years_are_births():
    texts = [f"{n % 28 + 1:02d}/06/{n % 70 + 30:02d}" for n in range(70)]
    assert role("D", texts) is Role.BIRTH
    assert role("D", texts[:5] * 20) is Role.NONE


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Address line 2", ["Elm Court", "Oak House"]),
        ("Street", ["Elm Road", "Oak Lane"]),
        ("Flat", ["1", "2"]),
        ("House no", ["1", "2"]),
        ("Vehicle reg", ["AB12 CDE", "BD51 SMR"]),
        ("X", ["AB12 CDE", "BD51 SMR"]),
        ("Pid", ["12", "13"]),
        ("UPRN", ["100070000001", "100070000002"]),
        ("Bank account", ["12345678", "87654321"]),
        ("Sort code", ["123456", "654321"]),
        ("Passport", ["123456789", "987654321"]),
        ("Latitude", ["52.4862", "52.5001"]),
        ("Postcode", ["B1 1AA", "NFA", "B2 4QA", "not given", "abroad"]),
        ("Where", ["B1 1AA", *(f"ward {n}" for n in "abcdefghi")]),
    ],
)
def test_homes_vehicles_and_accounts_are_personal(name, texts):
    assert role(name, texts * 60) in PERSONAL


@pytest.mark.parametrize(
    "name",
    ["No of clients", "Number of adults", "No. of visits", "No children", "Case count", "Case cost",
     "Total cases", "Client age"],
)  # fmt: skip
def test_counts_are_no_identifiers(name):
    assert role(name, [str(n) for n in range(100, 160)]) is Role.NONE


@pytest.mark.parametrize(
    ("header", "words"),
    [("Covid", ["covid"]), ("Valid", ["valid"]), ("Candidate", ["candidate"]),
     ("PERID", ["per", "id"]), ("REQUESTID", ["request", "id"]), ("DoB", ["dob"]),
     ("RISKNOTES", ["risk", "notes"]), ("AREAOFFICER", ["area", "officer"]),
     ("LAchildID", ["la", "child", "id"]), ("N.H.S. no", ["nhs", "no"])],
)  # fmt: skip
def test_words_of_headers(header, words):
    assert words_of(header) == words


@pytest.mark.parametrize("name", ["column 1", "Mosaic"])
def test_long_numbers_without_a_name_are_identifiers(name):
    assert role(name, [str(n) for n in range(4_000_000, 4_000_090)] * 2) is Role.OTHER_ID
    assert role(name, [str(n) for n in range(90)] * 2) is Role.NONE
    assert role("Rateable value", [str(n) for n in range(40_000, 40_090)] * 2) is Role.NONE


def test_answers_in_own_words_are_not_kept():
    texts = ["Agree", "Disagree"] * 35 + [f"it is {word}" for word in "abcdefghijklmnopqrstuvwxyz"]
    assert role("Q3", texts) is Role.RARE


def test_references_of_a_few_records_are_identifiers():
    assert role("Case ref", [f"CS-{n:05d}" for n in range(5)] * 40) is Role.OTHER_ID
    assert role("Property_ID", ["11", "12", "13"] * 40) is Role.OTHER_ID


@pytest.mark.parametrize("name", ["Comments", "Notes 2", "Further details", "Other (specify)"])
def test_notes_in_repeated_phrases_are_not_kept(name):
    texts = ["client rang again", "no answer today", "visit was made"] * 99
    assert role(name, texts) is Role.FREE_TEXT
