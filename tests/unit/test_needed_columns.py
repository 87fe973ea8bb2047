"""The shipped contracts keep the columns that analyses need, and no others."""

from pathlib import Path

import pytest

from socare_spark.analyses.combinations import job as combinations
from socare_spark.analyses.cross_service import job as cross_service
from socare_spark.analyses.elements import job as elements
from socare_spark.analyses.flow.settings import read_flows
from socare_spark.analyses.forecast import job as forecast
from socare_spark.analyses.provision import job as provision
from socare_spark.analyses.requests import job as requests
from socare_spark.analyses.use import job as use
from socare_spark.contracts.contract import read_contracts
from socare_spark.inputs import Inputs
from socare_spark.lake.lake import Lake

ROOT = Path(__file__).parents[2]
MODULES = [combinations, cross_service, elements, forecast, provision, requests, use]


@pytest.fixture
def inputs(tmp_path):
    return Inputs(None, Lake(tmp_path), ROOT / "conf", None)


def needs_of(module, inputs):
    return module.ANALYSIS.needs(inputs, module.ANALYSIS.load_settings(inputs.conf))


def test_shipped_contracts_keep_the_columns_that_an_analysis_reads(inputs):
    needs = [need for module in MODULES for need in needs_of(module, inputs)]
    for flow in read_flows(ROOT / "conf"):
        needs += [*flow.needs, *(n for part in flow.needs_of_parts.values() for n in part)]
    read = {(need.source, need.origin) for need in needs}
    for contract in read_contracts(ROOT / "conf"):
        kept = {f.output for f in contract.fields if not f.socare.drop} - {*contract.own_key}
        kept |= {f.socare.age.name for f in contract.fields if f.socare.age}
        assert {c for c in kept if (contract.table, c) not in read} == set(), contract.name
