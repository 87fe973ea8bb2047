"""Finds the git commit of the checkout that contains the running code, without git itself."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def commit(roots: Iterator[Path] | None = None) -> str | None:
    """The commit that is checked out.

    The checkout can have uncommitted changes; the digest in `code_version` covers them.

    Args:
        roots: Candidate folders; by default those of this file and of the submitted job.

    Returns:
        The commit hash; None if no candidate is a checkout.
    """
    for root in roots if roots is not None else _roots():
        if (root / "socare_spark" / "__init__.py").is_file() and (root / ".git").exists():
            try:
                return _read_head_commit(root / ".git")
            except OSError:
                return None
    return None


def _roots() -> Iterator[Path]:
    """Candidate folders; if the package is in a zip, the submitted file is in the checkout."""
    for path in (__file__, sys.argv[0]):
        yield from Path(path).resolve().parents[1:3]


def _read_head_commit(git: Path) -> str | None:
    if git.is_file():  # This is a linked worktree.
        git = (git.parent / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    shared = git / "commondir"
    common = (git / shared.read_text("utf-8").strip()).resolve() if shared.is_file() else git
    head = (git / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref:"):
        return _valid_hash(head)
    name = head.removeprefix("ref:").strip()
    for folder in (git, common):
        if (folder / name).is_file():
            return _valid_hash((folder / name).read_text("utf-8").strip())
    packed = common / "packed-refs"
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    hashes = (line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}"))
    return _valid_hash(next(hashes, ""))


def _valid_hash(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None
