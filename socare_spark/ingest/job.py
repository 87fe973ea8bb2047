"""The job `ingest`: extract files in, restricted tables and a balanced ledger out.

Look at the files, stage those that are new, judge each, then bring all that stand into the lake in
one group of commits: a file is in whole, or not at all.
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
from socare_spark.ingest.discovery import (
    LandedFile,
    ReadableFile,
    RefusedFile,
    discover_files,
    inspect_file,
)
from socare_spark.ingest.file_profile import sha256_of
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
from socare_spark.ingest.unclaimed_files import sentences, unclaimed
from socare_spark.ingest.withdrawal import add_option, entries_to_withdraw, withdraw
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.transaction import atomic_commits

_WORKERS = 2
# Names in a line; the run record has all.
_MAX_NAMED = 5
_EMPTY_REPLACEMENT = (
    "it holds no record, but a file of its period is in the lake and does: ask for the file again"
)
_UNREADABLE = (
    "it cannot be read to its end, or it has changed since the run began: ask for the file again"
)


@dataclass
class _Dataset:
    """One contract's part of a run."""

    contract: Contract
    accepted: list[ReadableFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    older: Sequence[str] = ()
    unchanged: list[LandedFile] = field(default_factory=list)
    rebuild: bool = False
    passed_over: Mapping[str, str] = field(default_factory=dict)
    gone: Sequence[str] = ()


def run(context: Context) -> None:
    """Runs the job.

    Raises:
        DataError: a file was refused; all others are in the lake by then.
    """
    landing = _landing(context)
    if context.withdraw:
        withdraw(context, landing)
        return
    project, contracts = read_project(context.conf), read_contracts(context.conf)
    _check_schemes(project, contracts)
    keyring = open_keyring(project, twin=is_synthetic(landing), environment=os.environ)
    begun = context.lake.exists(LEDGER) or context.lake.exists(PEOPLE)
    check_key(keyring, context.lake.root / "restricted" / "key_check.json", begun=begun)
    shutil.rmtree(staging_folder(context.lake), ignore_errors=True)
    known = read_ledger(context.lake)
    with context.progress.step("ingest: look at files"):
        datasets = [_classify_files(landing, contract, known) for contract in contracts]
    others = unclaimed(landing, context.conf, contracts, _claimed(datasets))
    _note_files(context, datasets, others)
    _note_history(context, datasets)
    context.run.warnings += _same_contents(datasets, known)
    try:
        judged = _stage_all(context, [d for d in datasets if d.accepted], keyring)
        refused = [r for d in datasets for r in d.refused] + _refused_by_limits(judged)
        _load_all(context, judged, refused, known, keyring)
        context.run.warnings += _repeated_key_warnings(judged)
    finally:
        shutil.rmtree(staging_folder(context.lake), ignore_errors=True)
    for r in refused:
        context.run.landing[r.landed.name] = "refused"
    unchanged = sum(len(d.unchanged) for d in datasets)
    context.progress.say(f"ingest: {unchanged} files unchanged")
    if refused:
        raise DataError(_refusal_message(landing, refused))
    if others and len(context.run.landing) == len(others):
        raise DataError(
            f"No file of {landing} was read: {len(others)} are there, and no contract of "
            f"{context.conf / 'datasets'} claims one. The notes say why."
        )


def plan(context: Context) -> Sequence[str]:
    """What would be read and written."""
    landing = _landing(context)
    if context.withdraw:
        return [f"withdraws {entry.file}" for entry in entries_to_withdraw(context)]
    known = read_ledger(context.lake)
    lines = []
    contracts = read_contracts(context.conf)
    _check_schemes(read_project(context.conf), contracts)
    for contract in contracts:
        newest, refused, _ = discover_files(landing, contract)
        lines += [f"refuses {r.landed.name}: {r.reason}" for r in refused]
        for landed in newest:
            entry = known.current.get(landed.identity)
            state = "unchanged" if _is_unchanged(landed, entry) else "changed" if entry else "new"
            state = "passed over" if _outdated_reason(landed, known) else state
            lines.append(f"reads  {landed.name} ({state})")
        lines.append(f"writes {contract.table}")
    return [*lines, *(f"writes {t.path}" for t in (PEOPLE, QUARANTINE, LEDGER))]


JOB = Job(
    "ingest",
    "Read extracts through their contracts: check, pseudonymise, count, keep each key once.",
    run,
    plan,
    (LEDGER, QUARANTINE, PEOPLE),
    add_option,
)


def _landing(context: Context) -> Path:
    if context.landing is None or not context.landing.is_dir():
        raise ConfigurationError(
            f"The landing folder {context.landing or ''} is not there: --landing must name the "
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
                f"{', '.join(unknown)}, which conf/project.yaml does not have: declare it there."
            )
        person, scheme = contract.person, contract.person_scheme
        if person and not project.schemes[scheme].person:
            raise ConfigurationError(
                f"conf/datasets/{contract.name}.yaml writes {person.name} as person under the "
                f"scheme {scheme}, which is not of people: declare person: true for the scheme in "
                "conf/project.yaml, or use a scheme of people, or another name than person."
            )


def _classify_files(landing: Path, contract: Contract, books: LedgerState) -> _Dataset:
    """Sorts the files of a contract into unchanged, acceptable, refused and passed over."""
    known = books.current
    newest, refused, older = discover_files(landing, contract)
    outdated = {file.name: reason for file in newest if (reason := _outdated_reason(file, books))}
    files = [file for file in newest if file.name not in outdated]
    there = [*files, *(r.landed for r in refused if r.landed.extract)]
    changed = _check_contract(contract, there, known)
    dataset = _Dataset(contract, rebuild=changed, refused=refused, older=older)
    dataset.gone, dataset.passed_over = _files_gone(contract, there, known), outdated
    with worker_pool(_WORKERS) as pool:
        entries = [None if changed else known.get(landed.identity) for landed in files]
        same = list(pool.map(_is_unchanged, files, entries))
        dataset.unchanged = [a for a, old in zip(files, same, strict=True) if old]
        new = [landed for landed, old in zip(files, same, strict=True) if not old]
        for seen in pool.map(inspect_file, new):
            if (
                isinstance(seen, ReadableFile)
                and seen.profile.records == 0
                and _had_records(seen, known)
            ):
                seen = RefusedFile(seen.landed, seen.profile.sha256, _EMPTY_REPLACEMENT)  # noqa: PLW2901
            if isinstance(seen, ReadableFile):
                dataset.accepted.append(seen)
            else:
                dataset.refused.append(seen)
    return dataset


def _outdated_reason(file: LandedFile, books: LedgerState) -> str:
    """Why a file is not taken although a contract claims it; empty where it may be."""
    withdrawn, entry = books.withdrawn.get(file.identity), books.current.get(file.identity)
    if withdrawn is not None and withdrawn.sha256 == _digest(file):
        return f"not taken, its content was withdrawn ({withdrawn.file})"
    newer = withdrawn or entry
    if newer is None or file.revision >= newer.revision or newer.sha256 == _digest(file):
        return ""
    state = "was withdrawn" if withdrawn else "the lake holds"
    return (
        f"not taken, it is older (revision {file.revision}) than {newer.file} (revision "
        f"{newer.revision}), which {state}; to have it taken, give its name a higher revision"
    )


def _digest(file: LandedFile) -> str:
    try:
        return sha256_of(file.path)
    except OSError:
        return ""


def _files_gone(
    contract: Contract, files: Sequence[LandedFile], known: Mapping[Identity, LedgerEntry]
) -> list[str]:
    """Files whose rows are in the lake and that left the landing folder."""
    there = {file.identity for file in files}
    return sorted(e.file for i, e in known.items() if i[0] == contract.name and i not in there)


def _is_unchanged(landed: LandedFile, entry: LedgerEntry | None) -> bool:
    """Whether a file is the one that was read; what cannot be read is looked at with the new."""
    if entry is None or entry.contract != landed.contract.digest(landed.as_of):
        return False
    return entry.sha256 == _digest(landed)


def _had_records(file: ReadableFile, known: Mapping[Identity, LedgerEntry]) -> bool:
    entry = known.get(file.landed.identity)
    return entry is not None and entry.rows_kept > 0


def _check_contract(
    contract: Contract, files: Sequence[LandedFile], known: Mapping[Identity, LedgerEntry]
) -> bool:
    """Whether the table is made anew: all its rows were read with another contract.

    Where it changed for some periods alone, their files are read again as corrected ones are.

    Raises:
        ConfigurationError: a file that must be read again is no longer there.
    """
    ours = {i: e for i, e in known.items() if i[0] == contract.name}
    now = {file.name: file.identity for file in files}
    # A file whose name now means another period or part would be in the table twice.
    moved = {i for i, e in ours.items() if now.get(e.file, i) != i}
    changed = {i: e for i, e in ours.items() if i in moved or e.contract != contract.digest(e.day)}
    whole = bool(ours) and (bool(moved) or len(changed) == len(ours))
    there = {file.identity for file in files} | moved
    gone = sorted(e.file for i, e in (ours if whole else changed).items() if i not in there)
    if gone:
        raise ConfigurationError(
            f"conf/datasets/{contract.name}.yaml has changed since {len(changed)} files were read, "
            f"and {len(gone)} of them are no longer in the landing folder ({gone[0]} first): put "
            "them back so that all can be read again, or restore the contract, or take a file out "
            "with ingest --withdraw."
        )
    return whole


def _note_history(context: Context, datasets: Sequence[_Dataset]) -> None:
    """Reports the files that are not taken, and those that left the landing folder."""
    for dataset in datasets:
        context.run.landing |= dataset.passed_over
        context.run.warnings += [
            f"{name}: {reason}." for name, reason in dataset.passed_over.items()
        ]
        context.run.files_gone.extend(dataset.gone)
        if dataset.gone:
            count = len(dataset.gone)
            more = f" and {count - _MAX_NAMED} more" if count > _MAX_NAMED else ""
            context.run.warnings.append(
                f"{dataset.contract.name}: {count} files whose rows are in the lake left the "
                f"landing folder: {', '.join(dataset.gone[:_MAX_NAMED])}{more}. Their rows stay; "
                "ingest --withdraw FILE takes a file out."
            )


def _same_contents(datasets: Sequence[_Dataset], known: LedgerState) -> list[str]:
    """Files of one dataset and part whose contents are the same although their periods differ."""
    sentences = []
    for dataset in datasets:
        new = {f.landed.name for f in dataset.accepted}
        contents: dict[tuple[str, str], list[str]] = defaultdict(list)
        for file in dataset.accepted:
            if file.profile.records:
                contents[file.profile.sha256, file.landed.part].append(file.landed.name)
        for landed in dataset.unchanged:
            entry = known.current[landed.identity]
            contents[entry.sha256, landed.part].append(landed.name)
        sentences += [
            f"{', '.join(sorted(names))}: these files have the same content, so one may have the "
            "wrong name or be sent twice: compare them, and ask for the right file."
            for names in contents.values()
            if len(names) > 1 and new.intersection(names)
        ]
    return sentences


def _claimed(datasets: Sequence[_Dataset]) -> set[str]:
    """The files that a contract claims, with copies that a higher revision replaces."""
    found: set[str] = set()
    for dataset in datasets:
        found |= {a.name for a in dataset.unchanged} | {r.landed.name for r in dataset.refused}
        found |= {f.landed.name for f in dataset.accepted} | set(dataset.older)
        found |= set(dataset.passed_over)
    return found


def _note_files(context: Context, datasets: Sequence[_Dataset], others: Mapping[str, str]) -> None:
    """Records the outcome of every file of the landing folder, and what is odd about some."""
    run = context.run
    for dataset in datasets:
        run.landing |= dict.fromkeys(dataset.older, "an older revision")
        run.landing |= {a.name: "unchanged" for a in dataset.unchanged}
        for file in dataset.accepted:
            run.files_read[file.landed.name] = file.profile.sha256
            run.landing[file.landed.name] = "read"
        run.warnings += file_warnings(dataset.contract, dataset.accepted)
    run.landing |= dict.fromkeys(others, "no contract's pattern matches")
    run.warnings += sentences(others)


def _stage_all(
    context: Context, datasets: Sequence[_Dataset], keyring: Keyring
) -> list[JudgedDataset]:
    def one(dataset: _Dataset) -> JudgedDataset | None:
        staged = _staged(context, dataset, keyring)
        step.advance()
        return (
            staged
            if staged is None
            else _apply_file_limits(staged, whole=dataset.rebuild, refused=len(dataset.refused))
        )

    if not datasets:
        return []
    with (
        context.progress.step("ingest: read, check, pseudonymise", of=len(datasets)) as step,
        worker_pool(_WORKERS) as pool,
    ):
        return [judged for judged in pool.map(one, datasets) if judged is not None]


def _staged(context: Context, dataset: _Dataset, keyring: Keyring) -> StagedDataset | None:
    """Stages a dataset's files; those that Spark cannot read are refused, and the others staged."""

    def of(files: Sequence[ReadableFile]) -> StagedDataset:
        return stage_dataset(context.spark, context.lake, dataset.contract, files, keyring)

    try:
        return of(dataset.accepted)
    except Exception as error:
        if not _of_a_file(error):
            raise
    faulty = [file for file in dataset.accepted if not _readable(of, file)]
    dataset.refused += [RefusedFile(f.landed, f.profile.sha256, _UNREADABLE) for f in faulty]
    dataset.accepted = [file for file in dataset.accepted if file not in faulty]
    return of(dataset.accepted) if dataset.accepted else None


def _readable(of: Callable[[Sequence[ReadableFile]], StagedDataset], file: ReadableFile) -> bool:
    """Whether Spark reads a file alone."""
    try:
        of([file])
    except Exception as error:
        if not _of_a_file(error):
            raise
        return False
    return True


def _of_a_file(error: Exception) -> bool:
    """Whether Spark failed at a file, and not for want of memory, disk or the session."""
    return any(sign in str(error) for sign in ("FAILED_READ_FILE", "PATH_NOT_FOUND"))


def _apply_file_limits(staged: StagedDataset, *, whole: bool, refused: int) -> JudgedDataset:
    """Which staged files are taken; with `whole`, all of the dataset or none."""
    wanted, gated = [], {}
    repeated = count_repeated_keys(staged)
    for i, (file, tally) in enumerate(zip(staged.files, staged.tallies, strict=True)):
        share = tally.quarantined / tally.rows if tally.rows else 0.0
        gate = staged.contract.socare.gate
        if tally.rows != file.profile.records:
            gated[i] = (
                f"it holds {file.profile.records} records by its line ends and quotes, and the "
                f"reader finds {tally.rows}; ask for the file again with quotes doubled in cells"
                if _digest(file.landed) == file.profile.sha256
                else _UNREADABLE
            )
        elif share > gate:
            common = ", ".join(f"{code} {n}" for code, n in tally.reasons.most_common(3))
            gated[i] = (
                f"{tally.quarantined} of {tally.rows} rows ({share:.1%}) would be quarantined, "
                f"and the contract allows {gate:.1%} (most often {common}); see the rejected lines"
                f"{file.profile.hint if 'row_shape' in tally.reasons else ''}"
            )
        elif reason := refusal_reason(staged.contract, tally, repeated[i]):
            gated[i] = reason
        else:
            wanted.append(i)
    if whole and (gated or refused):
        gated |= dict.fromkeys(wanted, "its contract has changed and another file cannot be read")
        wanted = []
    return JudgedDataset(staged, wanted, gated, repeated, rebuild=whole)


def _refused_by_limits(judged: Sequence[JudgedDataset]) -> list[RefusedFile]:
    return [
        RefusedFile(t.staged.files[i].landed, t.staged.files[i].profile.sha256, reason)
        for t in judged
        for i, reason in t.refused.items()
    ]


def _load_all(
    context: Context,
    judged: Sequence[JudgedDataset],
    refused: Sequence[RefusedFile],
    known: LedgerState,
    keyring: Keyring,
) -> None:
    landing = _landing(context)
    news = [r for r in refused if r.key not in known.refused]
    idle = not news and not any(t.accepted for t in judged)
    if not idle or not all(has_reason(landing, r.landed) for r in refused):
        context.run.warnings += _write_reasons(landing, judged, refused)
    if idle:
        return
    tables = [staged_table(t.staged) for t in judged]
    touched = [x.path for t in tables for x in (t, superseded_table(t))]
    touched += [t.path for t in (PEOPLE, QUARANTINE, LEDGER)]

    def prepare(t: JudgedDataset) -> Callable[[], LoadOutcome]:
        return _plan_load(context, t, known.current)

    def bring_in(t: JudgedDataset, commit: Callable[[], LoadOutcome]) -> None:
        t.outcome = commit()
        step.advance()

    some = [t for t in judged if t.accepted]

    with (
        atomic_commits(context.spark, context.lake, touched, keep=True),
        context.progress.step("ingest: commit", of=len(some) + 1) as step,
    ):
        with worker_pool(_WORKERS) as pool:
            people = pool.submit(commit_people, context, some, keyring)
            ready = list(pool.map(prepare, some))
            list(pool.map(bring_in, some, ready))
            people.result()
        entries = make_entries(context, judged, news, known)
        write_ledger(context, judged, entries, {r.landed.name for r in news})
        step.advance()
    context.spark.catalog.clearCache()
    context.run.ledger.extend(asdict(e) for e in entries)
    for name in touched:
        commit = context.lake.last_commit(name)
        if commit is not None and commit.metadata.get("run_id") == context.run.run_id:
            context.run.outputs[name] = {"version": commit.version, "rows": commit.rows}


def _repeated_key_warnings(judged: Sequence[JudgedDataset]) -> list[str]:
    sentences = []
    for t in judged:
        lost = t.outcome.dropped if t.outcome else {}
        for i in t.accepted:
            name, tally = t.staged.files[i].landed.name, t.staged.tallies[i]
            duplicate = lost.get((name, "duplicate"), 0)
            sentences.append(
                repeated_keys_warning(t.staged.contract, name, tally, t.repeated[i], duplicate)
            )
    return [sentence for sentence in sentences if sentence]


def _plan_load(
    context: Context, judged: JudgedDataset, known: Mapping[Identity, LedgerEntry]
) -> Callable[[], LoadOutcome]:
    staged, lake = judged.staged, context.lake
    ours = {i: e for i, e in known.items() if i[0] == staged.contract.name}
    if judged.rebuild:
        # All files are read again: what was there is of another shape.
        for name in (staged_table(staged), superseded_table(staged_table(staged))):
            if lake.exists(name):
                lake.truncate(context.spark, name, context.commit_metadata())
    identities = [staged.files[i].landed.identity for i in judged.accepted]
    replaced = [ours[i].file for i in identities if i in ours]
    destination = DatasetLoader(
        lake, staged.contract, staged_table(staged), context.commit_metadata()
    )
    return destination.plan(staged, judged.accepted, replaced)


def _write_reasons(
    landing: Path, judged: Sequence[JudgedDataset], refused: Sequence[RefusedFile]
) -> list[str]:
    """Writes rejected lines and reasons; returns sentences on those that could not be written."""
    sentences = [sentence for t in judged for sentence in _write_rejected_lines(landing, t)]
    for r in refused:
        try:
            write_refused(landing, r.landed, r.reason)
        except OSError as error:
            sentences.append(_not_written(r.landed, "the reason of its refusal was", error))
    return sentences


def _write_rejected_lines(landing: Path, judged: JudgedDataset) -> list[str]:
    """Writes the rejected lines of each file; returns sentences on those that were not written."""
    sentences = []
    for i, (file, tally) in enumerate(zip(judged.staged.files, judged.staged.tallies, strict=True)):
        if file.profile.records != tally.rows:
            continue
        try:
            write_rejected(landing, file, judged.staged.invalid_rows(i), judged.staged.rules)
        except ChangedError:
            sentences.append(
                f"{file.landed.name}: its rejected lines were not written, since the file has "
                "changed or gone since the run read it."
            )
        except OSError as error:
            sentences.append(_not_written(file.landed, "its rejected lines were", error))
    return sentences


def _not_written(landed: LandedFile, subject: str, error: OSError) -> str:
    what = error.strerror or type(error).__name__
    return (
        f"{landed.name}: {subject} not written to the folder rejected ({what}): check the length "
        "of the name, and the permissions and the disk of the folder."
    )


def _refusal_message(landing: Path, refused: Sequence[RefusedFile]) -> str:
    lines = [f"{r.landed.name}: {r.reason}." for r in refused]
    files = "1 file was" if len(lines) == 1 else f"{len(lines)} files were"
    return (
        f"{files} refused whole, and nothing of them is in the lake; all others were taken. "
        f"Reasons lie in {landing.resolve().parent / 'rejected'}.\n  " + "\n  ".join(lines)
    )
