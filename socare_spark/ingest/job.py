"""The job `ingest`: reads extract files into restricted tables and writes a balanced ledger.

The job inspects the files of the landing folder, stages the new ones, applies the limits of the
contracts to each, and loads the accepted files in one group of commits. A file is loaded as a whole
or not at all.
"""

import os
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial

from socare_spark.analysis import Context, Job
from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.contracts.project import read_project
from socare_spark.contracts.schemes import scheme_faults
from socare_spark.errors import ConfigurationError, DataError, InfrastructureError, raise_faults
from socare_spark.executor_view import is_cluster
from socare_spark.ingest.admission import (
    UNREADABLE,
    DatasetFiles,
    JudgedDataset,
    apply_file_limits,
    check_contract,
    classify_files,
    is_unchanged,
    outdated_reason,
    refused_by_limits,
)
from socare_spark.ingest.discovery import ReadableFile, RefusedFile, discover_files
from socare_spark.ingest.file_warnings import file_warnings
from socare_spark.ingest.key_check import check_key
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.ledger import (
    LEDGER,
    PEOPLE,
    QUARANTINE,
    LedgerState,
    read_ledger,
)
from socare_spark.ingest.ledger_entries import commit_people, make_entries, write_ledger
from socare_spark.ingest.load_driver import DriverLoader, read_small_load
from socare_spark.ingest.load_plan import Loader, LoadOutcome, LoadPlan, LoadTarget
from socare_spark.ingest.load_spark import SparkLoader
from socare_spark.ingest.precedence import DUPLICATE
from socare_spark.ingest.pseudonym import Keyring, open_keyring
from socare_spark.ingest.rejected_lines import (
    ChangedError,
    has_reason,
    write_refused,
    write_rejected,
)
from socare_spark.ingest.repeated_keys import equal_rows_warning, repeated_keys_warning
from socare_spark.ingest.restricted_tables import staged_table
from socare_spark.ingest.sample_check import check_sample, sample_lines
from socare_spark.ingest.shared_files import shared_file_warnings
from socare_spark.ingest.staging import StagedDataset, remove_stage, stage_dataset, staging_folder
from socare_spark.ingest.synthetic import is_synthetic
from socare_spark.ingest.unclaimed_files import unclaimed, unclaimed_warnings
from socare_spark.ingest.withdrawal import add_option, entries_to_withdraw, withdraw
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.transaction import atomic_commits
from socare_spark.plurals import agreeing, counted, listed
from socare_spark.spelling import closest_names
from socare_spark.storage.landing import Landing

_WORKERS = 2
# Files named in a warning; the run record names all of them.
_MAX_NAMED = 5


def run(context: Context) -> None:
    """Runs the job.

    Raises:
        DataError: a file was refused, or no file was read. All other files are loaded by then.
        ConfigurationError: the landing folder, a contract or a scheme is invalid.
        NotPermittedError: the key is missing or differs from the key of the lake.
    """
    landing = _landing(context)
    _check_options(context)
    if context.withdraw:
        withdraw(context, landing)
        return
    project, contracts = read_project(context.conf), _contracts(context)
    raise_faults(scheme_faults(project, contracts))
    keyring = open_keyring(project, synthetic=is_synthetic(landing.folder), environment=os.environ)
    has_rows = context.lake.exists(LEDGER) or context.lake.exists(PEOPLE)
    check_key(keyring, context.lake.storage, begun=has_rows)
    remove_stage(context.lake)
    ledger = read_ledger(context.lake)
    folder = staging_folder(context.lake)
    try:
        with context.progress.step("ingest: inspect files"):
            datasets = [
                classify_files(landing.folder, contract, ledger, folder) for contract in contracts
            ]
        # Without all contracts, the files of other datasets would count as unclaimed.
        unclaimed_files: Mapping[str, str] = {}
        if not context.only:
            unclaimed_files = unclaimed(landing.folder, context.conf, contracts, _claimed(datasets))
        _record_outcomes(context, datasets, unclaimed_files)
        _report_history(context, datasets)
        context.run.warnings += _same_contents(datasets, ledger)
        judged, more_refused = _stage_all(context, [d for d in datasets if d.accepted], keyring)
        _check_unchanged(landing)
        refused = [*(file for d in datasets for file in d.refused), *more_refused]
        outcomes = _load_all(context, judged, refused, ledger, keyring)
        context.run.warnings += _repeated_key_warnings(judged, outcomes)
    finally:
        remove_stage(context.lake)
    context.run.landing |= _outcomes(datasets, refused)
    unchanged = sum(len(d.unchanged) for d in datasets)
    context.progress.say(f"ingest: {counted(unchanged, 'file')} unchanged")
    if refused:
        raise DataError(_refusal_message(landing, refused))
    without_files = [d.contract.name for d in datasets if context.only and not _claimed([d])]
    if without_files:
        raise DataError(
            f"No file of {landing} belongs to {', '.join(without_files)}: compare the names of the "
            "files with socare.files of the contract."
        )
    if unclaimed_files and len(context.run.landing) == len(unclaimed_files):
        raise DataError(
            f"No file of {landing} was read: it contains {counted(len(unclaimed_files), 'file')}, "
            f"and none matches a contract in {context.conf / 'datasets'}. The warnings of the run "
            "name the reasons."
        )


def plan(context: Context) -> Sequence[str]:
    """Lists the files that the job would read, refuse or skip and the tables it would write.

    The first records of new and changed files are checked by the rules of the contracts.
    """
    landing = _landing(context)
    _check_options(context)
    if context.withdraw:
        return [f"withdraws {entry.file}" for entry in entries_to_withdraw(context)]
    ledger = read_ledger(context.lake)
    lines, project, contracts = [], read_project(context.conf), _contracts(context)
    raise_faults(scheme_faults(project, contracts))
    claims: list[tuple[Contract, set[str]]] = []
    for contract in contracts:
        newest, refused, older = discover_files(landing.folder, contract)
        claims.append((contract, {*(f.name for f in newest), *older}))
        outdated = {file.name for file in newest if outdated_reason(file, ledger)}
        dated = [file for file in newest if file.name not in outdated]
        dated += [file.landed for file in refused if file.landed.extract]
        check_contract(contract, dated, ledger.current)
        lines += [f"refuses {file.landed.name}: {file.reason}" for file in refused]
        to_load = []
        for landed in newest:
            entry = ledger.current.get(landed.identity)
            state = "unchanged" if is_unchanged(landed, entry) else "changed" if entry else "new"
            state = "skipped" if landed.name in outdated else state
            lines.append(f"reads  {landed.name} ({state})")
            to_load += [landed] if state in ("changed", "new") else []
        if to_load and is_cluster(context.spark):
            lines.append("checks no records: executors do not read samples of this machine")
        elif to_load:
            sample = check_sample(context.spark, contract, project, to_load)
            lines += [f"checks {line}" for line in sample_lines(sample)]
        lines.append(f"writes {contract.table}")
    lines += [f"note   {warning}" for warning in shared_file_warnings(claims, landing.folder)]
    return [*lines, *(f"writes {t.path}" for t in (PEOPLE, QUARANTINE, LEDGER))]


def _add_options(options: ArgumentParser) -> None:
    add_option(options)
    options.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="read the files of this dataset only (conf/datasets/NAME.yaml); can be given several "
        "times",
    )


JOB = Job(
    "ingest",
    "Read extracts by their contracts: check, pseudonymise, count and keep each key once.",
    run,
    plan,
    (LEDGER, QUARANTINE, PEOPLE),
    _add_options,
)


def _landing(context: Context) -> Landing:
    if context.landing is None or not context.landing.exists():
        raise ConfigurationError(
            f"The landing folder {context.landing or ''} does not exist: --landing must name the "
            "folder with the extracts."
        )
    return context.landing


def _check_unchanged(landing: Landing) -> None:
    """Checks that the executors read the files that the driver inspected.

    Raises:
        InfrastructureError: a file of a store was changed or removed during the run.
    """
    changed = landing.changed_files()
    if changed:
        raise InfrastructureError(
            f"{listed(changed, _MAX_NAMED)}: changed or removed in {landing} while the run read "
            "its files, so nothing was loaded: run the same command again."
        )


def _check_options(context: Context) -> None:
    if context.withdraw and context.only:
        raise ConfigurationError("--withdraw reads no file: give it without --only.")


def _contracts(context: Context) -> Sequence[Contract]:
    """The contracts of the datasets in `context.only`, or all.

    Raises:
        ConfigurationError: a contract is invalid, or a dataset has none.
    """
    contracts = read_contracts(context.conf)
    names = [contract.name for contract in contracts]
    for name in context.only:
        if name not in names:
            close = closest_names(name, names) or names
            raise ConfigurationError(
                f"--only {name}: {context.conf / 'datasets' / f'{name}.yaml'} does not exist. "
                f"Datasets are {', '.join(close)}."
            )
    return [contract for contract in contracts if not context.only or contract.name in context.only]


def _report_history(context: Context, datasets: Sequence[DatasetFiles]) -> None:
    """Reports the files that are not loaded and those that left the landing folder."""
    for dataset in datasets:
        context.run.warnings += [f"{name}: {reason}." for name, reason in dataset.skipped.items()]
        context.run.files_gone.extend(dataset.gone)
        if dataset.gone:
            count = len(dataset.gone)
            context.run.warnings.append(
                f"{dataset.contract.name}: {counted(count, 'file')} whose rows are in the lake "
                f"left the landing folder: {listed(dataset.gone, _MAX_NAMED)}. The rows are kept; "
                "ingest --withdraw FILE removes the rows of a file."
            )


def _same_contents(datasets: Sequence[DatasetFiles], ledger: LedgerState) -> list[str]:
    """Warnings about files of one dataset and part that have the same content."""
    messages = []
    for dataset in datasets:
        new_names = {f.landed.name for f in dataset.accepted}
        contents: dict[tuple[str, str], list[str]] = defaultdict(list)
        for file in dataset.accepted:
            if file.profile.records:
                contents[file.profile.sha256, file.landed.part].append(file.landed.name)
        for landed in dataset.unchanged:
            entry = ledger.current[landed.identity]
            contents[entry.sha256, landed.part].append(landed.name)
        messages += [
            f"{', '.join(sorted(names))}: these files have the same content, so one may have the "
            "wrong name or may be a duplicate: compare them and ask for the right file."
            for names in contents.values()
            if len(names) > 1 and new_names.intersection(names)
        ]
    return messages


def _claimed(datasets: Sequence[DatasetFiles]) -> set[str]:
    """Names of all files that match a contract, older revisions included."""
    names: set[str] = set()
    for dataset in datasets:
        names |= {file.name for file in dataset.unchanged} | {
            file.landed.name for file in dataset.refused
        }
        names |= {file.landed.name for file in dataset.accepted} | set(dataset.older)
        names |= set(dataset.skipped)
    return names


def _outcomes(datasets: Sequence[DatasetFiles], refused: Sequence[RefusedFile]) -> dict[str, str]:
    """File -> outcome. A file of several datasets can have one for each."""
    by_dataset: dict[str, dict[str, str]] = defaultdict(dict)
    for dataset in datasets:
        found = {**dataset.skipped, **dict.fromkeys(dataset.older, "an older revision")}
        found |= {file.name: "unchanged" for file in dataset.unchanged}
        found |= {file.landed.name: "read" for file in dataset.accepted}
        for name, outcome in found.items():
            by_dataset[name][dataset.contract.name] = outcome
    for file in refused:
        by_dataset[file.landed.name][file.landed.contract.name] = "refused"
    return {name: _outcome(outcomes) for name, outcomes in by_dataset.items()}


def _outcome(outcomes: Mapping[str, str]) -> str:
    """One outcome, or each with its dataset: `read (people), refused (visits)`."""
    if len({*outcomes.values()}) == 1:
        return next(iter(outcomes.values()))
    return ", ".join(f"{outcome} ({dataset})" for dataset, outcome in sorted(outcomes.items()))


def _record_outcomes(
    context: Context, datasets: Sequence[DatasetFiles], unclaimed_files: Mapping[str, str]
) -> None:
    """Records the outcome of each file of the landing folder and the warnings about the files."""
    run = context.run
    run.landing |= _outcomes(datasets, [file for d in datasets for file in d.refused])
    for dataset in datasets:
        files = dataset.accepted
        run.files_read |= {file.landed.name: file.profile.sha256 for file in files}
        run.warnings += file_warnings(dataset.contract, files)
    run.landing |= dict.fromkeys(unclaimed_files, "no contract's pattern matches")
    run.warnings += unclaimed_warnings(unclaimed_files)
    run.warnings += shared_file_warnings(
        ((d.contract, _claimed([d])) for d in datasets), _landing(context).folder
    )


def _stage_all(
    context: Context, datasets: Sequence[DatasetFiles], keyring: Keyring
) -> tuple[list[JudgedDataset], list[RefusedFile]]:
    """Stages the accepted files of each dataset and applies the limits of its contract.

    Returns:
        The judged datasets, and the files that Spark could not read or that a limit refuses.
    """
    if not datasets:
        return [], []
    with (
        context.progress.step("ingest: read, check, pseudonymise", of=len(datasets)) as step,
        worker_pool(_WORKERS) as pool,
    ):

        def stage_and_judge(
            dataset: DatasetFiles,
        ) -> tuple[JudgedDataset | None, list[RefusedFile]]:
            staged, unreadable = _stage(context, dataset, keyring)
            step.advance()
            if staged is None:
                return None, unreadable
            refused = len(dataset.refused) + len(unreadable)
            return apply_file_limits(staged, rebuild=dataset.rebuild, refused=refused), unreadable

        results = list(pool.map(stage_and_judge, datasets))
    judged = [dataset for dataset, _ in results if dataset is not None]
    unreadable = [file for _, files in results for file in files]
    return judged, [*unreadable, *refused_by_limits(judged)]


def _stage(
    context: Context, dataset: DatasetFiles, keyring: Keyring
) -> tuple[StagedDataset | None, list[RefusedFile]]:
    """Stages the accepted files of a dataset.

    If Spark fails on a file, each file is tried alone, and the others are staged.

    Returns:
        The staged dataset, None if no file is left; and the failing files.
    """

    def stage(files: Sequence[ReadableFile]) -> StagedDataset:
        return stage_dataset(context.spark, context.lake, dataset.contract, files, keyring)

    accepted = [_located(context, file) for file in dataset.accepted]
    try:
        return stage(accepted), []
    except Exception as error:
        if not _is_file_error(error):
            raise
    faulty = [file for file in accepted if not _can_stage(stage, file)]
    refused = [RefusedFile(file.landed, file.profile.sha256, UNREADABLE) for file in faulty]
    readable = [file for file in accepted if file not in faulty]
    return (stage(readable) if readable else None), refused


def _located(context: Context, file: ReadableFile) -> ReadableFile:
    """A file with the location at which executors read it."""
    landing, lake, path = _landing(context), context.lake.storage, file.profile.path
    if path.is_relative_to(landing.folder):
        return file if landing.storage.disk else replace(file, uri=landing.uri(path))
    # The conversion of a file of another form is beside the staged rows.
    return file if lake.disk else replace(file, uri=lake.uri(lake.keep(path)))


def _can_stage(
    stage: Callable[[Sequence[ReadableFile]], StagedDataset], file: ReadableFile
) -> bool:
    """Whether Spark can read a file."""
    try:
        stage([file])
    except Exception as error:
        if not _is_file_error(error):
            raise
        return False
    return True


def _is_file_error(error: Exception) -> bool:
    """Whether Spark failed on a file and not for lack of memory, disk space or a session."""
    return any(sign in str(error) for sign in ("FAILED_READ_FILE", "PATH_NOT_FOUND"))


def _load_all(
    context: Context,
    judged: Sequence[JudgedDataset],
    refused: Sequence[RefusedFile],
    ledger: LedgerState,
    keyring: Keyring,
) -> dict[str, LoadOutcome]:
    """Loads the accepted files and writes the ledger, in one group of commits.

    Returns:
        Dataset -> outcome of its load; empty if nothing is new.
    """
    landing = _landing(context)
    new_refusals = [file for file in refused if file.key not in ledger.refused]
    accepted = [dataset for dataset in judged if dataset.accepted]
    nothing_to_do = not new_refusals and not accepted
    if not nothing_to_do or not all(has_reason(landing, file.landed) for file in refused):
        context.run.warnings += _write_reasons(landing, judged, refused)
    if nothing_to_do:
        return {}
    targets = {d.staged.contract.name: _target(context, d.staged) for d in judged}
    changed = [table for each in targets.values() for table in (each.table, each.superseded)]
    touched = [table.path for table in (*changed, PEOPLE, QUARANTINE, LEDGER)]
    with (
        atomic_commits(context.spark, context.lake, touched, keep=True),
        context.progress.step("ingest: commit", of=len(accepted) + 1) as step,
    ):
        for dataset in accepted:
            if dataset.rebuild:
                # All files are read again, and the old rows have the columns of the old contract.
                _truncate(targets[dataset.staged.contract.name])
        with worker_pool(_WORKERS) as pool:
            people = pool.submit(commit_people, context, accepted, keyring)
            names = [dataset.staged.contract.name for dataset in accepted]
            loads = [targets[name] for name in names]
            plans = list(pool.map(partial(_plan_load, ledger), loads, accepted))

            def commit(plan: LoadPlan) -> LoadOutcome:
                outcome = plan.commit()
                step.advance()
                return outcome

            outcomes = dict(zip(names, pool.map(commit, plans), strict=True))
            people.result()
        entries = make_entries(context.run.run_id, judged, outcomes, new_refusals, ledger)
        write_ledger(context, judged, entries, new_refusals)
        step.advance()
    context.spark.catalog.clearCache()
    context.run.ledger.extend(asdict(e) for e in entries)
    for name in touched:
        last = context.lake.last_commit(name)
        if last is not None and last.metadata.get("run_id") == context.run.run_id:
            context.run.outputs[name] = {"version": last.version, "rows": last.rows}
    return outcomes


def _repeated_key_warnings(
    judged: Sequence[JudgedDataset], outcomes: Mapping[str, LoadOutcome]
) -> list[str]:
    messages = []
    for dataset in judged:
        contract = dataset.staged.contract
        if not contract.own_key:
            messages.append(_equal_rows_warning(dataset))
            continue
        dropped = outcomes[contract.name].dropped if contract.name in outcomes else {}
        for i in dataset.accepted:
            name, tally = dataset.staged.files[i].landed.name, dataset.staged.tallies[i]
            duplicate = dropped.get((name, DUPLICATE), 0)
            repeated = dataset.repeated.get(i, 0)
            messages.append(repeated_keys_warning(contract, name, tally, repeated, duplicate))
    return [message for message in messages if message]


def _equal_rows_warning(dataset: JudgedDataset) -> str:
    staged, counts = dataset.staged, {i: dataset.repeated.get(i, 0) for i in dataset.accepted}
    equal = {staged.files[i].landed.name: count for i, count in counts.items() if count}
    rows = sum(staged.tallies[i].valid for i in dataset.accepted)
    return equal_rows_warning(staged.contract, equal, rows)


def _target(context: Context, staged: StagedDataset) -> LoadTarget:
    table = staged_table(staged)
    return LoadTarget(context.lake, staged.contract, table, context.commit_metadata())


def _truncate(target: LoadTarget) -> None:
    """Removes all rows of a dataset, the superseded ones included."""
    for table in (target.table, target.superseded):
        if target.lake.exists(table):
            target.lake.truncate(table, target.metadata)


def _plan_load(ledger: LedgerState, target: LoadTarget, judged: JudgedDataset) -> LoadPlan:
    """Plans the commits of the accepted files of a dataset."""
    staged = judged.staged
    identities = [staged.files[i].landed.identity for i in judged.accepted]
    replaced = [ledger.current[i].file for i in identities if i in ledger.current]
    small = None if replaced else read_small_load(target, staged, judged.accepted)
    loader: Loader = (
        DriverLoader(target, small)
        if small
        else SparkLoader(target, staged, judged.accepted, replaced)
    )
    return loader.plan()


def _write_reasons(
    landing: Landing, judged: Sequence[JudgedDataset], refused: Sequence[RefusedFile]
) -> list[str]:
    """Writes rejected lines and reasons.

    Returns:
        A warning for each file that could not be written.
    """
    messages = [
        message for dataset in judged for message in _write_rejected_lines(landing, dataset)
    ]
    for file in refused:
        try:
            write_refused(landing, file.landed, file.reason)
        except OSError as error:
            messages.append(_not_written(file.landed, "the reason of its refusal was", error))
    return messages


def _write_rejected_lines(landing: Landing, judged: JudgedDataset) -> list[str]:
    """Writes the rejected lines of each file of a dataset.

    Returns:
        A warning for each file whose lines could not be written.
    """
    messages = []
    for i, (file, tally) in enumerate(zip(judged.staged.files, judged.staged.tallies, strict=True)):
        if file.profile.records != tally.rows:
            continue
        try:
            write_rejected(landing, file, judged.staged.invalid_rows(i), judged.staged.rules)
        except ChangedError:
            messages.append(
                f"{file.landed.name}: its rejected lines were not written because the file was "
                "changed or removed after the run read it."
            )
        except OSError as error:
            messages.append(_not_written(file.landed, "its rejected lines were", error))
    return messages


def _not_written(landed: LandedFile, subject: str, error: OSError) -> str:
    cause = error.strerror or type(error).__name__
    return (
        f"{landed.name}: {subject} not written to the folder rejected ({cause}): check the length "
        "of the name, and the permissions and the disk of the folder."
    )


def _claimed_name(landed: LandedFile, claims: Mapping[str, int]) -> str:
    """Name of a file, with the dataset if several contracts refused the file."""
    return landed.name if claims[landed.name] == 1 else f"{landed.name} ({landed.contract.name})"


def _refusal_message(landing: Landing, refused: Sequence[RefusedFile]) -> str:
    claims = Counter(file.landed.name for file in refused)
    lines = [f"{_claimed_name(file.landed, claims)}: {file.reason}." for file in refused]
    was = agreeing(len(claims), "was", "were")
    return (
        f"{counted(len(claims), 'file')} {was} refused as a whole and not loaded; all other files "
        "were loaded. "
        f"The reasons are in {landing.rejected.location}.\n  " + "\n  ".join(lines)
    )
