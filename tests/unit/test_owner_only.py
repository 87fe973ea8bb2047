"""Lake and scratch folders are for their owner only, and what killed runs left is removed."""

import fcntl
import os

import pytest

from socare_spark.errors import InfrastructureError
from socare_spark.scratch import remove_leftovers, scratch_folders
from socare_spark.storage.local import LocalStorage

RUN, OTHER = "20160101T120000-0a1b2c3d", "20160102T120000-0a1b2c3d"


def modes(*paths):
    return [path.stat().st_mode & 0o777 for path in paths]


def test_a_run_has_a_folder_of_its_own_below_each_root(tmp_path):
    roots = [tmp_path / "one", tmp_path / "deep" / "two"]
    with scratch_folders(roots, RUN) as folders:
        assert folders == [root / f"socare-{RUN}" for root in roots]
        assert modes(*folders) == [0o700, 0o700]
        (folders[0] / "blockmgr").mkdir()
    assert [list(root.iterdir()) for root in roots] == [[], []]


def test_a_run_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), scratch_folders([tmp_path], RUN) as (folder,):
        (folder / "spilled").write_text("data")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_run_go_at_the_next_start(tmp_path):
    left = tmp_path / f"socare-{OTHER}"
    (left / "blockmgr" / "0c").mkdir(parents=True)
    (left / "blockmgr" / "0c" / "shuffle").write_text("data")
    with scratch_folders([tmp_path], RUN) as folders:
        assert list(tmp_path.iterdir()) == folders


def test_locked_and_foreign_folders_are_not_removed(tmp_path):
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / f"socare-{OTHER}").symlink_to(target)
    for name in ("socare-work", f"socare-{RUN}.old", f"socare-{RUN}"):
        (tmp_path / name).mkdir()
    before = sorted(tmp_path.iterdir())
    lock = os.open(tmp_path / f"socare-{RUN}", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert remove_leftovers(tmp_path) == []
        assert sorted(tmp_path.iterdir()) == before
    finally:
        os.close(lock)
    assert remove_leftovers(tmp_path) == [tmp_path / f"socare-{RUN}"]


def test_a_root_that_is_no_folder_is_refused(tmp_path):
    root = tmp_path / "file"
    root.write_text("")
    with (
        pytest.raises(InfrastructureError, match=r"spark\.local\.dir"),
        scratch_folders([root], RUN),
    ):
        pass


def test_a_folder_that_is_open_to_others_is_reported(tmp_path):
    open_one, closed_one = tmp_path / "o ld", tmp_path / "shut"
    for folder, mode in ((open_one, 0o755), (closed_one, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
    assert LocalStorage(closed_one).exposure() is None
    assert LocalStorage(tmp_path / "missing").exposure() is None
    warning = LocalStorage(open_one).exposure()
    assert "mode 755" in warning
    assert f"chmod -R go-rwx '{open_one}'" in warning
