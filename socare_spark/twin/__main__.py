"""Command line of the twin: `python -m socare_spark.twin --out DIR [--scale S] [--seed N]
[--defects KIND]`, or `--passes --out DIR` for the workbook of docs/onboarding.md.
"""

import argparse
import sys
import time
from pathlib import Path

from socare_spark.twin.study import DEFECTS, write_twin


def main() -> int:
    """Writes the twin and prints the number of files and rows."""
    parser = argparse.ArgumentParser(
        prog="python -m socare_spark.twin", description="Write the synthetic study extracts."
    )
    parser.add_argument("--out", type=Path, required=True, help="landing folder to write")
    parser.add_argument(
        "--scale", type=_scale, default=0.02, help="1 is the study's own size (default 0.02)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defects", choices=DEFECTS, default="default")
    parser.add_argument(
        "--passes",
        action="store_true",
        help="write only a workbook of leisure passes and the reference sources",
    )
    options = parser.parse_args()
    if options.passes:
        if options.out.exists():
            parser.error(f"{options.out} exists: --out must name a new folder")
        # openpyxl is not needed for the study.
        from socare_spark.twin.leisure.passes_workbook import WORKBOOK, write_passes  # noqa: PLC0415

        rows = write_passes(options.out, options.seed)
        sys.stdout.write(f"{options.out / WORKBOOK}: {rows} passes\n")
        return 0
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:7.1f} s  {line}\n")

    truth = write_twin(options.out, options.scale, options.seed, options.defects, say)
    rows = sum(f["rows_read"] or 0 for f in truth["files"].values())
    sys.stdout.write(f"{len(truth['files'])} files, {rows:,} rows in {options.out}\n")
    return 0


def _scale(text: str) -> float:
    scale = float(text)
    if not 0.001 <= scale <= 50:
        raise argparse.ArgumentTypeError("a scale is a number from 0.001 to 50")
    return scale


if __name__ == "__main__":
    sys.exit(main())
