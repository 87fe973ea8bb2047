"""The command line of `scripts/onboard`: options, messages and exit codes."""

import argparse
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from socare_spark.config import read_model
from socare_spark.contracts.contract import read_contracts
from socare_spark.contracts.project import read_project
from socare_spark.errors import ConfigurationError, DataError, ExitCode, OperatorError
from socare_spark.onboarding.dataset import Dataset, read_dataset
from socare_spark.onboarding.draft import draft_contract, write_draft
from socare_spark.onboarding.findings_text import findings_text
from socare_spark.onboarding.proposal import DEFAULT_STEPS
from socare_spark.onboarding.source_files import read_table
from socare_spark.onboarding.source_table import SourceTable
from socare_spark.storage.location import local_path

# Files are readable by their owner only, whatever the umask of the shell.
_UMASK = 0o077
_CONF = Path(__file__).parents[2] / "conf"


def parser() -> argparse.ArgumentParser:
    """Builds the parser of the options."""
    options = argparse.ArgumentParser(
        prog="scripts/onboard",
        description="Describe files of an unknown form, and draft their contract. No value of a "
        "cell is printed.",
        epilog="Exit codes: 0 done, 1 internal error, 2 configuration or usage, 3 a file cannot be "
        "read.",
    )
    options.add_argument(
        "files",
        nargs="*",
        type=local_path,
        metavar="FILE",
        help="files of one dataset, such as years",
    )
    options.add_argument(
        "--write",
        type=local_path,
        metavar="CONTRACT",
        help="new file for the draft of the contract, such as conf/datasets/passes.yaml",
    )
    options.add_argument(
        "--landing",
        type=local_path,
        help="landing folder, below which the contract names the files; default: the parent of the "
        "folder of the files",
    )
    options.add_argument(
        "--header",
        type=_header,
        metavar="ROW",
        help="row with the names of the columns, from 1, or none; default: the row is found",
    )
    options.add_argument("--sheet", help="sheet of a workbook; default: the one with most rows")
    options.add_argument(
        "--record",
        metavar="PATH",
        help="element of a record of an XML file, from the root element, as "
        "Message/Children/Child; "
        "default: the most frequent repeated element",
    )
    options.add_argument(
        "--check",
        nargs="?",
        const="",
        metavar="NAME",
        help="check all configuration, then the first 10,000 rows of each landed CSV file, and "
        "all rows of other files, of the dataset NAME, or of all datasets (starts Spark)",
    )
    options.add_argument(
        "--package",
        action="store_true",
        help="write datapackage.json beside the landing folder, which describes its files to "
        "other tools",
    )
    options.add_argument(
        "--conf",
        type=Path,
        default=_CONF,
        help="folder of the configuration; default: conf of the checkout",
    )
    return options


def _header(text: str) -> int | str:
    if text == "none":
        return text
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError("must be the number of a row, from 1, or none")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Command-line arguments; those of the process by default.

    Returns:
        The exit code of the process.
    """
    os.umask(_UMASK)
    options_parser = parser()
    options = options_parser.parse_args(arguments)
    if options.package and (options.files or options.check is not None or not options.landing):
        options_parser.error("--package needs --landing, and neither files nor --check")
    if options.check is None and not options.package and not options.files:
        options_parser.error("name the files to describe")
    if options.check is not None and options.files:
        options_parser.error("--check takes no file: name a dataset, or nothing for all")
    try:
        if options.check is not None:
            return _check(options)
        return _package(options) if options.package else _describe(options)
    except OperatorError as error:
        print_error(str(error))
        return error.exit_code
    except Exception as error:
        # The message of a library can quote a cell.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        print_error(
            "The command failed because of an internal error: report "
            f"{type(error).__name__}, {Path(frame.filename).name}:{frame.lineno}."
        )
        return ExitCode.FAULT


def print_error(message: str) -> None:
    """Prints a message to standard error."""
    sys.stderr.write(f"{message}\n")


def _check(options: argparse.Namespace) -> int:
    # It imports Spark, which the description of files does not need.
    from socare_spark.onboarding.check import check  # noqa: PLC0415

    return check(options.conf, options.landing, options.check)


def _package(options: argparse.Namespace) -> int:
    # It imports the ledger and with it Spark.
    from socare_spark.onboarding.package import write_package  # noqa: PLC0415

    if not options.landing.is_dir():
        raise ConfigurationError(
            f"{options.landing} is not a folder: --landing must name the folder of the extracts."
        )
    path, left_out = write_package(options.landing, read_contracts(options.conf))
    sys.stdout.write(f"Wrote {path}.\n")
    for sentence in left_out:
        print_error(f"Left out: {sentence}")
    return ExitCode.DATA if left_out else ExitCode.DONE


def _describe(options: argparse.Namespace) -> int:
    tables, refused = _read_files(options)
    for path, reason in refused.items():
        print_error(f"{path}: {reason}.")
    if not tables:
        return ExitCode.DATA
    dataset = read_dataset(tables)
    sys.stdout.write(findings_text(dataset))
    if options.write is not None:
        _write(dataset, options.write)
    return ExitCode.DATA if refused else ExitCode.DONE


def _write(dataset: Dataset, path: Path) -> None:
    """Writes the draft of the contract, and prints the schemes to declare."""
    name = path.stem
    if path.suffix != ".yaml" or re.fullmatch("[a-z][a-z0-9_]*", name) is None:
        raise ConfigurationError(
            f"{path} is no name of a contract: --write needs NAME.yaml with lower-case letters, "
            "digits and underscores."
        )
    conf = path.absolute().parent.parent
    schemes = read_project(conf).schemes if (conf / "project.yaml").exists() else {}
    draft = draft_contract(dataset, name, schemes, _steps(conf))
    write_draft(path, draft)
    lines = [f"Wrote {path}. {_need(draft.decisions)}"]
    if draft.schemes:
        lines.append(f"Add to schemes in {conf / 'project.yaml'}:")
        lines += draft.scheme_lines
    sys.stdout.write("\n".join(["", *lines, ""]))


def _need(decisions: int) -> str:
    noun = "comment with DECIDE needs" if decisions == 1 else "comments with DECIDE need"
    return f"{decisions} {noun} a decision."


def _steps(conf: Path) -> Sequence[int]:
    """The lower edges of all age bands of the configuration."""
    # It imports pandas, which the description of files does not need.
    from socare_spark.analyses.agreements import VOCABULARY, AgeBands  # noqa: PLC0415

    vocabulary = conf / VOCABULARY
    if not vocabulary.exists():
        return DEFAULT_STEPS
    sets = read_model(vocabulary, AgeBands).root.values()
    edges = {edge for bands in sets for band in bands for edge in (band.start, band.end)}
    return sorted({0, *(edge for edge in edges if edge is not None)})


def _read_files(options: argparse.Namespace) -> tuple[dict[str, SourceTable], dict[str, str]]:
    """Path below the landing folder -> file, in the order of names; and unreadable files."""
    tables: dict[str, SourceTable] = {}
    refused: dict[str, str] = {}
    for path in sorted(dict.fromkeys(options.files)):
        if not path.is_file():
            raise ConfigurationError(f"{path} is not a file: name files of one dataset.")
        name = _name_below(path, options.landing)
        try:
            tables[name] = read_table(
                path, header=options.header, sheet=options.sheet, record=options.record
            )
        except DataError as error:
            refused[name] = str(error)
        except OSError as error:
            refused[name] = f"cannot be read ({type(error).__name__}): check its permissions"
    return tables, refused


def _name_below(path: Path, landing: Path | None) -> str:
    folder = (landing or path.absolute().parent.parent).absolute()
    try:
        return path.absolute().relative_to(folder).as_posix()
    except ValueError:
        raise ConfigurationError(
            f"{path} is not below {folder}: set --landing to the landing folder."
        ) from None
