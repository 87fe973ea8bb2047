"""Folders in a store: files laid there, and two lakes compared."""

from scripts.compare_lakes import difference, tables_of


def differences(storage, other):
    """Table -> difference, of the lakes in two storages; fails if they have no table."""
    lake, other_lake = storage.mirror(), other.mirror()
    names = {*tables_of(lake), *tables_of(other_lake)}
    assert names
    found = {name: difference(lake / name, other_lake / name) for name in names}
    return {name: fault for name, fault in found.items() if fault}


def upload(folder, storage):
    """Lays the files of a folder into a storage."""
    for path in folder.rglob("*"):
        if path.is_file():
            storage.write(path.relative_to(folder).as_posix(), path.read_bytes())
