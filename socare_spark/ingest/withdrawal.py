"""Taking a file out of the tables: its rows go, and what they had superseded comes back.

Nothing is taken in by the same run. A withdrawn file that is still in the landing folder is not
taken again unless its content changes. People who were known from it alone stay in
`restricted/people`.
"""

import difflib
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from socare_spark.analysis import Context
from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.errors import ConfigurationError
from socare_spark.ingest.ledger import LEDGER, QUARANTINE, LedgerEntry, ledger_rows, read_ledger
from socare_spark.ingest.ledger_entries import amended_entry
from socare_spark.ingest.loader import DatasetLoader, existing_table, superseded_table
from socare_spark.ingest.rejected_lines import remove_rejected
from socare_spark.lake.transaction import atomic_commits

_CLOSE = 3


def add_option(options: ArgumentParser) -> None:
    """Adds the option to the command line of `ingest`."""
    options.add_argument(
        "--withdraw",
        action="append",
        metavar="FILE",
        help="take this file out of the tables (its path below the landing folder, as in the "
        "ledger); may be given several times; no file is taken in",
    )


def entries_to_withdraw(context: Context) -> Sequence[LedgerEntry]:
    """The ledger's entries of the files that are to go.

    Raises:
        ConfigurationError: the rows of such a file are not in the lake.
    """
    standing = read_ledger(context.lake).current.values()
    names = sorted({entry.file for entry in standing})
    for name in context.withdraw:
        if name not in names:
            close = difflib.get_close_matches(name, names, _CLOSE)
            hint = f"; close names are {', '.join(close)}" if close else ""
            raise ConfigurationError(
                f"--withdraw {name}: the lake holds no rows of such a file{hint}. Give the path "
                "below the landing folder, as the column file of restricted/ledger has it."
            )
    return [entry for entry in standing if entry.file in context.withdraw]


def withdraw(context: Context, landing: Path) -> None:
    """Takes the files of `context.withdraw` out, in one group of commits."""
    by_dataset: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries_to_withdraw(context):
        by_dataset[entry.dataset].append(entry)
    contracts = {contract.name: contract for contract in read_contracts(context.conf)}
    places = [_destination(context, contracts.get(name), name) for name in by_dataset]
    touched = [t.path for p in places for t in (p.table, superseded_table(p.table))]
    touched += [QUARANTINE.path, LEDGER.path]
    new: list[LedgerEntry] = []
    with atomic_commits(context.spark, context.lake, touched, keep=True):
        for place, gone in zip(places, by_dataset.values(), strict=True):
            new += _take_out(context, place, gone)
        context.lake.append_arrow(LEDGER, ledger_rows(new), context.commit_metadata())
    context.spark.catalog.clearCache()
    context.run.ledger.extend(asdict(entry) for entry in new)
    for entry in new:
        if entry.status == "withdrawn":
            remove_rejected(landing, entry.file)
            context.progress.say(f"ingest: {entry.file} withdrawn, {entry.rows_kept} rows")


def _destination(context: Context, contract: Contract | None, dataset: str) -> DatasetLoader:
    if contract is None:
        raise ConfigurationError(
            f"conf/datasets/{dataset}.yaml is not there, so no file of {dataset} can be withdrawn: "
            "restore the contract."
        )
    table = existing_table(context.lake, context.spark, contract)
    if table is None:
        raise ConfigurationError(
            f"conf/datasets/{dataset}.yaml declares another key than the table of the lake has: "
            "restore the contract, withdraw the file, then change the contract."
        )
    return DatasetLoader(context.lake, contract, table, context.commit_metadata())


def _take_out(
    context: Context, place: DatasetLoader, gone: Sequence[LedgerEntry]
) -> list[LedgerEntry]:
    """Commits a dataset without some files; returns the ledger's new rows."""
    known, run = read_ledger(context.lake), context.run.run_id
    files = sorted({entry.file for entry in gone})
    standing = place.plan_removal(context.spark, files)()
    if context.lake.exists(QUARANTINE):
        named = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        where = f"dataset = '{place.contract.name}' AND file IN ({named})"
        context.lake.delete_rows(QUARANTINE, where, context.commit_metadata())
    entries = [replace(entry, run_id=run, status="withdrawn") for entry in gone]
    for entry in known.current.values():
        if entry.dataset == place.contract.name and entry.file not in files:
            changed = amended_entry(run, standing, entry)
            entries += [changed] if changed else []
    return [replace(entry, sequence=known.sequence).check_balanced() for entry in entries]
