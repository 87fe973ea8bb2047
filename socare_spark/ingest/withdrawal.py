"""Withdraws files: removes their rows and restores the rows that they superseded.

A run that withdraws files does not load any. A withdrawn file that is still in the landing folder
is not loaded again unless its content changes. People of a withdrawn file stay in
`restricted/people`.
"""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace

from socare_spark.analysis import Context
from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.errors import ConfigurationError
from socare_spark.ingest.ledger import LEDGER, QUARANTINE, LedgerEntry, ledger_rows, read_ledger
from socare_spark.ingest.ledger_entries import amended_entry
from socare_spark.ingest.load_plan import LoadTarget
from socare_spark.ingest.load_spark import plan_removal
from socare_spark.ingest.rejected_lines import remove_rejected
from socare_spark.ingest.restricted_tables import existing_table
from socare_spark.lake.transaction import atomic_commits
from socare_spark.plurals import counted
from socare_spark.spelling import closest_names
from socare_spark.storage.landing import Landing


def add_option(options: ArgumentParser) -> None:
    """Adds the option to the command line of `ingest`."""
    options.add_argument(
        "--withdraw",
        action="append",
        metavar="FILE",
        help="remove this file from the tables (its path below the landing folder, as in the "
        "ledger); can be given several times; no file is loaded",
    )


def entries_to_withdraw(context: Context) -> Sequence[LedgerEntry]:
    """The current ledger entries of the files in `context.withdraw`.

    Raises:
        ConfigurationError: a file is not loaded.
    """
    current = read_ledger(context.lake).current.values()
    names = sorted({entry.file for entry in current})
    for name in context.withdraw:
        if name not in names:
            close = closest_names(name, names)
            hint = f"; close names are {', '.join(close)}" if close else ""
            raise ConfigurationError(
                f"--withdraw {name}: the lake has no rows of this file{hint}. Give the path below "
                "the landing folder, as in the column file of restricted/ledger."
            )
    return [entry for entry in current if entry.file in context.withdraw]


def withdraw(context: Context, landing: Landing) -> None:
    """Withdraws the files in `context.withdraw` in one group of commits.

    Raises:
        ConfigurationError: a file is not loaded, or its contract is missing or has another key.
    """
    by_dataset: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries_to_withdraw(context):
        by_dataset[entry.dataset].append(entry)
    contracts = {contract.name: contract for contract in read_contracts(context.conf)}
    targets = [_target(context, contracts.get(name), name) for name in by_dataset]
    touched = [t.path for target in targets for t in (target.table, target.superseded)]
    touched += [QUARANTINE.path, LEDGER.path]
    entries: list[LedgerEntry] = []
    with atomic_commits(context.spark, context.lake, touched, keep=True):
        for target, removed in zip(targets, by_dataset.values(), strict=True):
            entries += _remove_files(context, target, removed)
        context.lake.append_arrow(LEDGER, ledger_rows(entries), context.commit_metadata())
    context.spark.catalog.clearCache()
    context.run.ledger.extend(asdict(entry) for entry in entries)
    for entry in entries:
        if entry.status == "withdrawn":
            remove_rejected(landing, entry.file, entry.dataset)
            context.progress.say(
                f"ingest: {entry.file} withdrawn, {counted(entry.rows_kept, 'row')}"
            )


def _target(context: Context, contract: Contract | None, dataset: str) -> LoadTarget:
    if contract is None:
        raise ConfigurationError(
            f"conf/datasets/{dataset}.yaml does not exist, so no file of {dataset} can be "
            "withdrawn: restore the contract."
        )
    table = existing_table(context.lake, context.spark, contract)
    if table is None:
        raise ConfigurationError(
            f"conf/datasets/{dataset}.yaml declares another key than the table in the lake: "
            "restore the contract, withdraw the file, then change the contract."
        )
    return LoadTarget(context.lake, contract, table, context.commit_metadata())


def _remove_files(
    context: Context, target: LoadTarget, removed: Sequence[LedgerEntry]
) -> list[LedgerEntry]:
    """Removes files from a dataset. Returns the new ledger entries."""
    ledger, run = read_ledger(context.lake), context.run.run_id
    files = sorted({entry.file for entry in removed})
    outcome = plan_removal(target, context.spark, files).commit()
    if context.lake.exists(QUARANTINE):
        names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        predicate = f"dataset = '{target.contract.name}' AND file IN ({names})"
        context.lake.delete_rows(QUARANTINE, predicate, context.commit_metadata())
    entries = [replace(entry, run_id=run, status="withdrawn") for entry in removed]
    for entry in ledger.current.values():
        if entry.dataset == target.contract.name and entry.file not in files:
            changed = amended_entry(run, outcome, entry)
            entries += [changed] if changed else []
    return [replace(entry, sequence=ledger.sequence).check_balanced() for entry in entries]
