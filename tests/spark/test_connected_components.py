"""Connected components, against a union of sets in plain Python."""

import random

import pytest

from socare_spark.measures.connected_components import connected_components

PAIR = "struct<scheme:int,token:bigint>"


def joined(pairs):
    """Node -> the least of its component."""
    sets = {}
    for a, b in pairs:
        if a != b:
            union = sets.get(a, {a}) | sets.get(b, {b})
            sets.update(dict.fromkeys(union, union))
    return {node: min(union) for node, union in sets.items()}


def found(spark, pairs, type_):
    frame = spark.createDataFrame(pairs, f"a {type_}, b {type_}")
    rows = [tuple(row) for row in connected_components(frame).collect()]
    assert len(rows) == len({node for node, _ in rows})  # every node once
    return dict(rows)


@pytest.mark.parametrize("seed", range(4))
def test_components_of_random_pairs_equal_a_union_find(spark, seed):
    draw = random.Random(seed)
    nodes = range(draw.choice([8, 60, 200]))
    pairs = [(draw.choice(nodes), draw.choice(nodes)) for _ in range(60)]
    assert found(spark, pairs, "bigint") == joined(pairs)


def test_a_long_chain_in_any_order_is_one(spark):
    pairs = [(i, i + 1) for i in range(150)]
    random.Random(5).shuffle(pairs)
    assert set(found(spark, pairs, "bigint").values()) == {0}


def test_representative_is_the_smallest_identifier_of_the_lowest_scheme(spark):
    pairs = [((0, 90), (1, 3)), ((0, 80), (1, 3)), ((1, 80), (2, 1))]
    roots = {tuple(n): tuple(r) for n, r in found(spark, pairs, PAIR).items()}
    assert roots == {
        (0, 90): (0, 80), (0, 80): (0, 80), (1, 3): (0, 80), (1, 80): (1, 80), (2, 1): (1, 80),
    }  # fmt: skip


def test_no_pairs_give_no_components(spark):
    assert found(spark, [], "bigint") == {}
    assert found(spark, [(4, 4)], "bigint") == {}
