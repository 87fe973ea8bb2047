"""Short labels that stay different."""

import pytest

from socare_spark.charts.labels import distinct_labels


def test_short_names_stay():
    assert distinct_labels(["CA > AS", "AS > SP"], 26) == ["CA > AS", "AS > SP"]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["Confirmation of receipt > Check"], ["Confirmation of… > Check"]),
        (["A > Confirmation of the receipt"], ["A > Confirmation of the…"]),
        # The beginnings are equal, the ends are not.
        (["Reference library north", "Reference library south"], ["Refe…rth", "Refe…uth"]),
        # Beginnings and ends are equal.
        (["Reference one library", "Reference two library"], ["Refe…ary (1)", "Refe…ary (2)"]),
    ],
)
def test_long_names_are_shortened_and_differ(names, labels):
    width = 24 if ">" in names[0] else 8
    assert distinct_labels(names, width) == labels
