"""The commit of the checkout that a run's code comes from, read without git."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def commit(roots: Iterator[Path] | None = None) -> str | None:
    """The commit that is checked out, or None where the code does not lie in a checkout.

    The checkout may hold changes that are not committed; the digest in `code_version` covers them.

    Args:
        roots: Folders that may be the checkout; by default those of this file and of the job.
    """
    for root in roots if roots is not None else _roots():
        if (root / "socare_spark" / "__init__.py").is_file() and (root / ".git").exists():
            try:
                return _commit(root / ".git")
            except OSError:
                return None
    return None


def _roots() -> Iterator[Path]:
    """The package may come in a zip; the submitted file lies in the checkout."""
    for path in (__file__, sys.argv[0]):
        yield from Path(path).resolve().parents[1:3]


def _commit(git: Path) -> str | None:
    if git.is_file():  # A work tree beside the main one.
        git = (git.parent / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    shared = git / "commondir"
    common = (git / shared.read_text("utf-8").strip()).resolve() if shared.is_file() else git
    head = (git / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref:"):
        return _known(head)
    name = head.removeprefix("ref:").strip()
    for folder in (git, common):
        if (folder / name).is_file():
            return _known((folder / name).read_text("utf-8").strip())
    packed = common / "packed-refs"
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    found = (line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}"))
    return _known(next(found, ""))


def _known(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None
