"""The job `ingest`: reads extract files into restricted tables and writes a balanced ledger.

The job inspects the files of the landing folder, stages the new ones, applies the limits of the
contracts to each, and loads the accepted files in one group of commits. A file is loaded as a whole
or not at all.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from socare_spark.analysis import Context, Job
from socare_spark.contracts.contract import Contract, read_contracts
from socare_spark.contracts.project import Project, read_project
from socare_spark.errors import ConfigurationError, DataError
from socare_spark.files import sha256_of
from socare_spark.ingest.discovery import (
    LandedFile,
    ReadableFile,
    RefusedFile,
    discover_files,
    inspect_file,
)
from socare_spark.ingest.file_warnings import file_warnings
from socare_spark.ingest.ledger import (
    LEDGER,
    PEOPLE,
    QUARANTINE,
    LedgerEntry,
    LedgerState,
    read_ledger,
)
from socare_spark.ingest.ledger_entries import (
    Identity,
    JudgedDataset,
    commit_people,
    make_entries,
    write_ledger,
)
from socare_spark.ingest.loader import DatasetLoader, LoadOutcome, staged_table, superseded_table
from socare_spark.ingest.pseudonym import Keyring, check_key, open_keyring
from socare_spark.ingest.rejected_lines import (
    ChangedError,
    has_reason,
    write_refused,
    write_rejected,
)
from socare_spark.ingest.repeated_keys import (
    count_repeated_keys,
    refusal_reason,
    repeated_keys_warning,
)
from socare_spark.ingest.staging import StagedDataset, stage_dataset, staging_folder
from socare_spark.ingest.synthetic import is_synthetic
from socare_spark.ingest.unclaimed_files import unclaimed, unclaimed_warnings
from socare_spark.ingest.withdrawal import add_option, entries_to_withdraw, withdraw
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.transaction import atomic_commits

_WORKERS = 2
# Files named in a warning; the run record names all of them.
_MAX_NAMED = 5
_EMPTY_REPLACEMENT = (
    "the file contains no record, but the lake has records of its period: ask for the file again"
)
_UNREADABLE = (
    "cannot be read to its end, or has changed since the run began: ask for the file again"
)


@dataclass
class _Dataset:
    """The files of one contract, by outcome.

    Attributes:
        contract: The contract.
        accepted: New or changed files that can be read.
        refused: Files that are refused.
        older: Names of files that a higher revision replaces.
        unchanged: Files with the content and contract under which they were loaded.
        rebuild: Whether the table is emptied and all files are read again.
        skipped: Name of each file that is not loaded although it is readable -> reason.
        gone: Names of loaded files that are no longer in the landing folder.
    """

    contract: Contract
    accepted: list[ReadableFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    older: Sequence[str] = ()
    unchanged: list[LandedFile] = field(default_factory=list)
    rebuild: bool = False
    skipped: Mapping[str, str] = field(default_factory=dict)
    gone: Sequence[str] = ()


def run(context: Context) -> None:
    """Runs the job.

    Raises:
        DataError: a file was refused, or no file was read. All other files are loaded by then.
        ConfigurationError: the landing folder, a contract or a scheme is invalid.
        NotPermittedError: the key is missing or differs from the key of the lake.
    """
    landing = _landing(context)
    if context.withdraw:
        withdraw(context, landing)
        return
    project, contracts = read_project(context.conf), read_contracts(context.conf)
    _check_schemes(project, contracts)
    keyring = open_keyring(project, twin=is_synthetic(landing), environment=os.environ)
    has_rows = context.lake.exists(LEDGER) or context.lake.exists(PEOPLE)
    check_key(keyring, context.lake.root / "restricted" / "key_check.json", begun=has_rows)
    shutil.rmtree(staging_folder(context.lake), ignore_errors=True)
    ledger = read_ledger(context.lake)
    with context.progress.step("ingest: inspect files"):
        datasets = [_classify_files(landing, contract, ledger) for contract in contracts]
    unclaimed_files = unclaimed(landing, context.conf, contracts, _claimed(datasets))
    _record_outcomes(context, datasets, unclaimed_files)
    _report_history(context, datasets)
    context.run.warnings += _same_contents(datasets, ledger)
    try:
        judged = _stage_all(context, [d for d in datasets if d.accepted], keyring)
        refused = [file for d in datasets for file in d.refused] + _refused_by_limits(judged)
        _load_all(context, judged, refused, ledger, keyring)
        context.run.warnings += _repeated_key_warnings(judged)
    finally:
        shutil.rmtree(staging_folder(context.lake), ignore_errors=True)
    for file in refused:
        context.run.landing[file.landed.name] = "refused"
    unchanged = sum(len(d.unchanged) for d in datasets)
    context.progress.say(f"ingest: {unchanged} files unchanged")
    if refused:
        raise DataError(_refusal_message(landing, refused))
    if unclaimed_files and len(context.run.landing) == len(unclaimed_files):
        raise DataError(
            f"No file of {landing} was read: it contains {len(unclaimed_files)} files, and none "
            f"matches a contract in {context.conf / 'datasets'}. The warnings of the run name the "
            "reasons."
        )


def plan(context: Context) -> Sequence[str]:
    """Lists the files that the job would read, refuse or skip and the tables it would write."""
    landing = _landing(context)
    if context.withdraw:
        return [f"withdraws {entry.file}" for entry in entries_to_withdraw(context)]
    ledger = read_ledger(context.lake)
    lines = []
    contracts = read_contracts(context.conf)
    _check_schemes(read_project(context.conf), contracts)
    for contract in contracts:
        newest, refused, _ = discover_files(landing, contract)
        lines += [f"refuses {file.landed.name}: {file.reason}" for file in refused]
        for landed in newest:
            entry = ledger.current.get(landed.identity)
            state = "unchanged" if _is_unchanged(landed, entry) else "changed" if entry else "new"
            state = "skipped" if _outdated_reason(landed, ledger) else state
            lines.append(f"reads  {landed.name} ({state})")
        lines.append(f"writes {contract.table}")
    return [*lines, *(f"writes {t.path}" for t in (PEOPLE, QUARANTINE, LEDGER))]


JOB = Job(
    "ingest",
    "Read extracts by their contracts: check, pseudonymise, count and keep each key once.",
    run,
    plan,
    (LEDGER, QUARANTINE, PEOPLE),
    add_option,
)


def _landing(context: Context) -> Path:
    if context.landing is None or not context.landing.is_dir():
        raise ConfigurationError(
            f"The landing folder {context.landing or ''} does not exist: --landing must name the "
            "folder with the extracts."
        )
    return context.landing


def _check_schemes(project: Project, contracts: Sequence[Contract]) -> None:
    for contract in contracts:
        used = {f.socare.pseudonymise for f in contract.fields if f.socare.pseudonymise}
        unknown = sorted(used - set(project.schemes))
        if unknown:
            raise ConfigurationError(
                f"conf/datasets/{contract.name}.yaml names the identifier scheme "
                f"{', '.join(unknown)}, which conf/project.yaml does not declare: declare it there."
            )
        person, scheme = contract.person, contract.person_scheme
        if person and not project.schemes[scheme].person:
            raise ConfigurationError(
                f"conf/datasets/{contract.name}.yaml writes {person.name} as person under the "
                f"scheme {scheme}, which does not identify people: declare person: true for the "
                "scheme in conf/project.yaml, or use another scheme, or a name other than person."
            )


def _classify_files(landing: Path, contract: Contract, ledger: LedgerState) -> _Dataset:
    """Sorts the files of a contract by outcome."""
    current = ledger.current
    newest, refused, older = discover_files(landing, contract)
    outdated = {file.name: reason for file in newest if (reason := _outdated_reason(file, ledger))}
    files = [file for file in newest if file.name not in outdated]
    dated = [*files, *(r.landed for r in refused if r.landed.extract)]
    changed = _check_contract(contract, dated, current)
    dataset = _Dataset(contract, rebuild=changed, refused=refused, older=older)
    dataset.gone, dataset.skipped = _files_gone(contract, dated, current), outdated
    with worker_pool(_WORKERS) as pool:
        entries = [None if changed else current.get(landed.identity) for landed in files]
        unchanged = list(pool.map(_is_unchanged, files, entries))
        dataset.unchanged = [
            landed for landed, is_unchanged in zip(files, unchanged, strict=True) if is_unchanged
        ]
        changed_files = [
            landed
            for landed, is_unchanged in zip(files, unchanged, strict=True)
            if not is_unchanged
        ]
        for file in pool.map(inspect_file, changed_files):
            if isinstance(file, RefusedFile):
                dataset.refused.append(file)
            elif file.profile.records == 0 and _had_records(file, current):
                dataset.refused.append(
                    RefusedFile(file.landed, file.profile.sha256, _EMPTY_REPLACEMENT)
                )
            else:
                dataset.accepted.append(file)
    return dataset


def _outdated_reason(file: LandedFile, ledger: LedgerState) -> str:
    """Checks whether the content was withdrawn or a higher revision is or was loaded.

    Returns:
        The reason not to load the file; empty if it can be loaded.
    """
    withdrawn, entry = ledger.withdrawn.get(file.identity), ledger.current.get(file.identity)
    if withdrawn is not None and withdrawn.sha256 == _digest(file):
        return f"not loaded, this content was withdrawn ({withdrawn.file})"
    newer = withdrawn or entry
    if newer is None or file.revision >= newer.revision or newer.sha256 == _digest(file):
        return ""
    state = "was withdrawn" if withdrawn else "is in the lake"
    return (
        f"not loaded, revision {file.revision} is older than {newer.file} (revision "
        f"{newer.revision}), which {state}; to load the file, give its name a higher revision"
    )


def _digest(file: LandedFile) -> str:
    """SHA-256 of the file; empty if it cannot be read."""
    try:
        return sha256_of(file.path)
    except OSError:
        return ""


def _files_gone(
    contract: Contract, files: Sequence[LandedFile], entries: Mapping[Identity, LedgerEntry]
) -> list[str]:
    """Names of loaded files that are no longer in the landing folder."""
    present = {file.identity for file in files}
    return sorted(e.file for i, e in entries.items() if i[0] == contract.name and i not in present)


def _is_unchanged(landed: LandedFile, entry: LedgerEntry | None) -> bool:
    """Whether the file and its contract are unchanged since it was loaded.

    A file that cannot be read counts as changed.
    """
    if entry is None or entry.contract != landed.contract.digest(landed.as_of):
        return False
    return entry.sha256 == _digest(landed)


def _had_records(file: ReadableFile, entries: Mapping[Identity, LedgerEntry]) -> bool:
    entry = entries.get(file.landed.identity)
    return entry is not None and entry.rows_kept > 0


def _check_contract(
    contract: Contract, files: Sequence[LandedFile], entries: Mapping[Identity, LedgerEntry]
) -> bool:
    """Decides whether all files of a dataset must be read again because its contract changed.

    If the contract changed for some periods only, their files are read again as corrected files.

    Returns:
        Whether the table must be rebuilt.

    Raises:
        ConfigurationError: a file that must be read again is not in the landing folder.
    """
    loaded = {i: e for i, e in entries.items() if i[0] == contract.name}
    identities = {file.name: file.identity for file in files}
    # A file whose name now parses to another identity would be loaded twice.
    moved = {i for i, e in loaded.items() if identities.get(e.file, i) != i}
    changed = {
        i: e for i, e in loaded.items() if i in moved or e.contract != contract.digest(e.day)
    }
    rebuild = bool(loaded) and (bool(moved) or len(changed) == len(loaded))
    present = {file.identity for file in files} | moved
    missing = sorted(
        e.file for i, e in (loaded if rebuild else changed).items() if i not in present
    )
    if missing:
        raise ConfigurationError(
            f"conf/datasets/{contract.name}.yaml has changed since {len(changed)} files were read, "
            f"and {len(missing)} of them are no longer in the landing folder ({missing[0]} first): "
            "put them back so that they can be read again, restore the contract, or remove a file "
            "with ingest --withdraw."
        )
    return rebuild


def _report_history(context: Context, datasets: Sequence[_Dataset]) -> None:
    """Reports the files that are not loaded and those that left the landing folder."""
    for dataset in datasets:
        context.run.landing |= dataset.skipped
        context.run.warnings += [f"{name}: {reason}." for name, reason in dataset.skipped.items()]
        context.run.files_gone.extend(dataset.gone)
        if dataset.gone:
            count = len(dataset.gone)
            others = f" and {count - _MAX_NAMED} more" if count > _MAX_NAMED else ""
            context.run.warnings.append(
                f"{dataset.contract.name}: {count} files whose rows are in the lake left the "
                f"landing folder: {', '.join(dataset.gone[:_MAX_NAMED])}{others}. Their rows are "
                "kept; ingest --withdraw FILE removes the rows of a file."
            )


def _same_contents(datasets: Sequence[_Dataset], ledger: LedgerState) -> list[str]:
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


def _claimed(datasets: Sequence[_Dataset]) -> set[str]:
    """Names of all files that match a contract, older revisions included."""
    names: set[str] = set()
    for dataset in datasets:
        names |= {file.name for file in dataset.unchanged} | {
            file.landed.name for file in dataset.refused
        }
        names |= {file.landed.name for file in dataset.accepted} | set(dataset.older)
        names |= set(dataset.skipped)
    return names


def _record_outcomes(
    context: Context, datasets: Sequence[_Dataset], unclaimed_files: Mapping[str, str]
) -> None:
    """Records the outcome of each file of the landing folder and the warnings about the files."""
    run = context.run
    for dataset in datasets:
        run.landing |= dict.fromkeys(dataset.older, "an older revision")
        run.landing |= {file.name: "unchanged" for file in dataset.unchanged}
        for file in dataset.accepted:
            run.files_read[file.landed.name] = file.profile.sha256
            run.landing[file.landed.name] = "read"
        run.warnings += file_warnings(dataset.contract, dataset.accepted)
    run.landing |= dict.fromkeys(unclaimed_files, "no contract's pattern matches")
    run.warnings += unclaimed_warnings(unclaimed_files)


def _stage_all(
    context: Context, datasets: Sequence[_Dataset], keyring: Keyring
) -> list[JudgedDataset]:
    def stage_and_judge(dataset: _Dataset) -> JudgedDataset | None:
        staged = _staged(context, dataset, keyring)
        step.advance()
        return (
            staged
            if staged is None
            else _apply_file_limits(staged, rebuild=dataset.rebuild, refused=len(dataset.refused))
        )

    if not datasets:
        return []
    with (
        context.progress.step("ingest: read, check, pseudonymise", of=len(datasets)) as step,
        worker_pool(_WORKERS) as pool,
    ):
        return [judged for judged in pool.map(stage_and_judge, datasets) if judged is not None]


def _staged(context: Context, dataset: _Dataset, keyring: Keyring) -> StagedDataset | None:
    """Stages the accepted files of a dataset.

    If Spark fails on a file, each file is tried alone, the failing ones are refused and the others
    are staged.

    Returns:
        The staged dataset; None if no file is left.
    """

    def stage(files: Sequence[ReadableFile]) -> StagedDataset:
        return stage_dataset(context.spark, context.lake, dataset.contract, files, keyring)

    try:
        return stage(dataset.accepted)
    except Exception as error:
        if not _is_file_error(error):
            raise
    faulty = [file for file in dataset.accepted if not _can_stage(stage, file)]
    dataset.refused += [RefusedFile(f.landed, f.profile.sha256, _UNREADABLE) for f in faulty]
    dataset.accepted = [file for file in dataset.accepted if file not in faulty]
    return stage(dataset.accepted) if dataset.accepted else None


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


def _apply_file_limits(staged: StagedDataset, *, rebuild: bool, refused: int) -> JudgedDataset:
    """Decides which staged files are accepted.

    A file is refused if Spark and the profile count different records, if more rows than the
    contract allows would be quarantined, or if too many rows repeat a key.

    Args:
        staged: The staged files of a dataset.
        rebuild: Whether the table is rebuilt; then all files are accepted or none.
        refused: Number of files of the dataset that were refused before staging.
    """
    accepted, reasons = [], {}
    repeated = count_repeated_keys(staged)
    for i, (file, tally) in enumerate(zip(staged.files, staged.tallies, strict=True)):
        share = tally.quarantined / tally.rows if tally.rows else 0.0
        max_share = staged.contract.socare.gate
        if tally.rows != file.profile.records:
            reasons[i] = (
                f"the file contains {file.profile.records} records by its line ends and quotes, "
                f"but Spark reads {tally.rows}: ask for the file again with quotes doubled in cells"
                if _digest(file.landed) == file.profile.sha256
                else _UNREADABLE
            )
        elif share > max_share:
            common = ", ".join(f"{code} {n}" for code, n in tally.reasons.most_common(3))
            reasons[i] = (
                f"{tally.quarantined} of {tally.rows} rows ({share:.1%}) would be quarantined, "
                f"and the contract allows {max_share:.1%} (most often {common}); see the rejected "
                f"lines{file.profile.hint if 'row_shape' in tally.reasons else ''}"
            )
        elif reason := refusal_reason(staged.contract, tally, repeated[i]):
            reasons[i] = reason
        else:
            accepted.append(i)
    if rebuild and (reasons or refused):
        reasons |= dict.fromkeys(
            accepted, "the contract has changed and another file cannot be read"
        )
        accepted = []
    return JudgedDataset(staged, accepted, reasons, repeated, rebuild=rebuild)


def _refused_by_limits(judged: Sequence[JudgedDataset]) -> list[RefusedFile]:
    return [
        RefusedFile(dataset.staged.files[i].landed, dataset.staged.files[i].profile.sha256, reason)
        for dataset in judged
        for i, reason in dataset.refused.items()
    ]


def _load_all(
    context: Context,
    judged: Sequence[JudgedDataset],
    refused: Sequence[RefusedFile],
    ledger: LedgerState,
    keyring: Keyring,
) -> None:
    landing = _landing(context)
    new_refusals = [file for file in refused if file.key not in ledger.refused]
    nothing_to_do = not new_refusals and not any(dataset.accepted for dataset in judged)
    if not nothing_to_do or not all(has_reason(landing, file.landed) for file in refused):
        context.run.warnings += _write_reasons(landing, judged, refused)
    if nothing_to_do:
        return
    tables = [staged_table(dataset.staged) for dataset in judged]
    changed = [t for table in tables for t in (table, superseded_table(table))]
    touched = [t.path for t in (*changed, PEOPLE, QUARANTINE, LEDGER)]

    def prepare(dataset: JudgedDataset) -> Callable[[], LoadOutcome]:
        return _plan_load(context, dataset, ledger.current)

    def load(dataset: JudgedDataset, commit: Callable[[], LoadOutcome]) -> None:
        dataset.outcome = commit()
        step.advance()

    accepted = [dataset for dataset in judged if dataset.accepted]

    with (
        atomic_commits(context.spark, context.lake, touched, keep=True),
        context.progress.step("ingest: commit", of=len(accepted) + 1) as step,
    ):
        with worker_pool(_WORKERS) as pool:
            people = pool.submit(commit_people, context, accepted, keyring)
            plans = list(pool.map(prepare, accepted))
            list(pool.map(load, accepted, plans))
            people.result()
        entries = make_entries(context, judged, new_refusals, ledger)
        write_ledger(context, judged, entries, {file.landed.name for file in new_refusals})
        step.advance()
    context.spark.catalog.clearCache()
    context.run.ledger.extend(asdict(e) for e in entries)
    for name in touched:
        commit = context.lake.last_commit(name)
        if commit is not None and commit.metadata.get("run_id") == context.run.run_id:
            context.run.outputs[name] = {"version": commit.version, "rows": commit.rows}


def _repeated_key_warnings(judged: Sequence[JudgedDataset]) -> list[str]:
    messages = []
    for dataset in judged:
        dropped = dataset.outcome.dropped if dataset.outcome else {}
        for i in dataset.accepted:
            name, tally = dataset.staged.files[i].landed.name, dataset.staged.tallies[i]
            duplicate = dropped.get((name, "duplicate"), 0)
            messages.append(
                repeated_keys_warning(
                    dataset.staged.contract, name, tally, dataset.repeated[i], duplicate
                )
            )
    return [message for message in messages if message]


def _plan_load(
    context: Context, judged: JudgedDataset, entries: Mapping[Identity, LedgerEntry]
) -> Callable[[], LoadOutcome]:
    """Plans the commits of a dataset; calling the result executes them.

    If the table is rebuilt, its rows and the superseded rows are deleted here.
    """
    staged, lake = judged.staged, context.lake
    loaded = {i: e for i, e in entries.items() if i[0] == staged.contract.name}
    if judged.rebuild:
        # All files are read again, and the old rows have the columns of the old contract.
        for name in (staged_table(staged), superseded_table(staged_table(staged))):
            if lake.exists(name):
                lake.truncate(name, context.commit_metadata())
    identities = [staged.files[i].landed.identity for i in judged.accepted]
    replaced = [loaded[i].file for i in identities if i in loaded]
    destination = DatasetLoader(
        lake, staged.contract, staged_table(staged), context.commit_metadata()
    )
    return destination.plan(staged, judged.accepted, replaced)


def _write_reasons(
    landing: Path, judged: Sequence[JudgedDataset], refused: Sequence[RefusedFile]
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


def _write_rejected_lines(landing: Path, judged: JudgedDataset) -> list[str]:
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


def _refusal_message(landing: Path, refused: Sequence[RefusedFile]) -> str:
    lines = [f"{file.landed.name}: {file.reason}." for file in refused]
    files = "1 file was" if len(lines) == 1 else f"{len(lines)} files were"
    return (
        f"{files} refused as a whole and not loaded; all other files were loaded. "
        f"The reasons are in {landing.resolve().parent / 'rejected'}.\n  " + "\n  ".join(lines)
    )
