"""Categories as a council writes them down."""

from collections import Counter
from pathlib import Path

import pytest

from socare_spark.analyses.element_codes import read_canonical_codes
from socare_spark.analyses.vocabulary import Outcomes, Subprocesses, Teams, unknown_codes
from socare_spark.config import read_model
from socare_spark.errors import ConfigurationError

VOCABULARY = Path(__file__).parents[2] / "conf" / "vocabulary"


def test_outcomes_and_teams_are_as_many_as_table_12_counts():
    outcomes = Counter(o.category for o in read_model(VOCABULARY / "outcomes.yaml", Outcomes).root)
    assert sorted(outcomes.values()) == [2, 5, 7, 13, 15]
    teams = Counter(t.category for t in read_model(VOCABULARY / "teams.yaml", Teams).root)
    assert sorted(teams.values()) == [5, 6, 8, 10, 10, 13, 33]


@pytest.mark.parametrize(
    ("model", "text", "says"),
    [
        (
            Outcomes,
            "[{code: a, label: A, category: X}, {code: A, label: A, category: Y}]",
            "A is listed",
        ),
        (Teams, "[{name: ' AD x', category: X}, {name: ad X, category: Y}]", "AD X is listed"),
        (Subprocesses, "subprocesses: {S: [A], T: [a]}", "A is listed more than once"),
        (Subprocesses, "subprocesses: {S: [A/X, A], T: [A/x]}", "A/X is listed"),
    ],
)
def test_a_word_in_two_categories_is_refused(tmp_path, model, text, says):
    file = tmp_path / "words.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=says):
        read_model(file, model)


def test_reason_and_its_outcome_can_have_different_subprocesses():
    words = Subprocesses.model_validate({"subprocesses": {"S": ["A"], "T": ["A/X"]}})
    assert len(words.subprocesses) == 2


def test_corrected_spellings_ignore_case(tmp_path):
    (tmp_path / "vocabulary").mkdir()
    words = "mended: {oahsgco: OAEHSGCO}\nelements: [{code: OAEHSGCO}]\n"
    (tmp_path / "vocabulary" / "elements.yaml").write_text(words, "utf-8")
    assert read_canonical_codes(tmp_path) == {"OAHSGCO": "OAEHSGCO"}


def test_configured_code_without_records_is_reported_once_with_the_nearest_codes():
    present = ["CHIRDRT", "CHERDRT", "OAICINT", None]
    wanted = ["CHIRDT", "ZZ", "OAICINT", "ZZ"]
    assert unknown_codes("x.yaml names the element", wanted, present) == [
        "x.yaml names the element CHIRDT, which no record has; the nearest are CHIRDRT, CHERDRT.",
        "x.yaml names the element ZZ, which no record has.",
    ]


def test_many_configured_codes_without_records_are_one_warning():
    wanted = [f"A{number}" for number in range(90)]
    assert unknown_codes("x.yaml names the reason", wanted, ["A0"]) == [
        "x.yaml names the reason A1, A2, A3 and 86 more, which no record has."
    ]


def test_only_codes_that_may_be_listed_are_quoted_as_similar():
    present = ["CHIRDRT", "CHERDRT"]
    said = unknown_codes(
        "x.yaml names the code", ["CHIRDT"], present, "nobody has", near=["CHERDRT"]
    )
    assert said == ["x.yaml names the code CHIRDT, which nobody has; the nearest are CHERDRT."]
