"""Drafts of contracts are accepted by ingest on the files from which they were drafted."""

import pytest
import yaml
from council import PROJECT, Council

from socare_spark.onboarding.dataset import read_dataset
from socare_spark.onboarding.draft import draft_contract
from socare_spark.onboarding.source_files import read_table

PEOPLE = [
    f"{n},{4_000_000 + n},0{n % 9 + 1}/02/19{n % 50 + 30},{n % 28 + 1}/06/2015" for n in range(40)
]
CHILD = "<Child><Id>C{n}00</Id><Visit><Day>2015-0{m}-11</Day><Need>N{m}</Need></Visit></Child>"
FILES = {
    "preamble": {
        "p_2015.csv": [
            "Passes", "", "ID;PERID;COST", *(f"{n};P{n}000;{n},50" for n in range(40)), ";;",
        ],
    },
    "no header": {"p_2015.csv": [line for line in PEOPLE]},
    "years": {
        "p_2014-15.csv": ["ID,PERID,DOB,START", *PEOPLE],
        "p_2015-16.csv": ["ID,PERID,D.O.B.,STARTED,TOWN", *(f"{line},Köln" for line in PEOPLE)],
    },
    "notes": {"p_2015.csv": ["ID,PERID,DOB,START", *PEOPLE, "Total,,,", "Source: us,,,", "1,2"]},
    "trailing": {"p_2015.csv": ["ID,PERID", *(f"{n},P{n}000," for n in range(40))]},
    "repeated": {"p_2015.csv": ["ID,N,N", *(f"{n + 500},{n},{n % 3}" for n in range(40))]},
    "single quotes": {"p_2015.csv": ["ID,KIND", *(f"{n + 500},'a, b{n % 3}'" for n in range(40))]},
    "xml": {
        "p_2015.xml": [
            "<?xml version='1.0'?><M><Kids>",
            *(CHILD.format(n=n, m=n % 9 + 1) for n in range(20)),
            "</Kids></M>",
        ],
    },
}  # fmt: skip
# Records read, and records in quarantine.
ROWS = {"notes": (43, 3), "years": (80, 0), "xml": (20, 0)}


@pytest.mark.parametrize("case", FILES)
def test_a_draft_is_accepted(spark, tmp_path, monkeypatch, case):
    council = Council(spark, tmp_path)
    for name, lines in FILES[case].items():
        encoding = "cp1252" if "15-16" in name else "utf-8"
        (council.landing / "visits" / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))
    paths = sorted((council.landing / "visits").iterdir())
    dataset = read_dataset({f"visits/{path.name}": read_table(path) for path in paths})
    draft = draft_contract(dataset, "visits", {})
    schemes = {k: s.model_dump(mode="json") for k, s in draft.schemes.items()}
    project = {**PROJECT, "schemes": {**PROJECT["schemes"], **schemes}}
    (council.conf / "project.yaml").write_text(yaml.safe_dump(project), "utf-8")
    council.contract = yaml.safe_load(draft.text)
    assert council.ingests(monkeypatch) == ""
    ledger = council.ledger()
    read, quarantined = ROWS.get(case, (40, 0))
    assert sum(entry[1] for entry in ledger.values()) == read
    assert sum(entry[3] for entry in ledger.values()) == quarantined
