"""The tests of a group run in one process, so its costly data are made once."""

import os
from pathlib import Path

import pytest

PARALLEL = "PYTEST_XDIST_WORKER" in os.environ


@pytest.mark.skipif(not PARALLEL, reason="all tests run in one process")
def test_a_test_is_in_the_group_of_its_module(request):
    assert request.node.nodeid.endswith(f"@unit/{Path(__file__).name}")
