"""The behaviour that every storage has. A subclass has the fixture `storage`, which is empty."""

import pytest

ODD = "a b/ü–☂ #1%20&+.csv"


class StorageContract:
    def test_a_missing_file_is_none_and_a_missing_folder_is_empty(self, storage):
        assert storage.read("a/b") is None
        assert not storage.is_file("a")
        assert list(storage.names("a")) == storage.files("a") == storage.files() == []
        storage.remove(["a/b"], durable=True)
        storage.remove_tree("a", durable=True)
        storage.remove_empty("a")

    @pytest.mark.parametrize("name", ["x", "a/b/x.json", "a/.x.json", ODD, "a/x;z=1,y"])
    def test_a_file_is_read_as_written(self, storage, name):
        content = bytes(range(256)) * 3
        storage.write(name, content)
        assert storage.read(name) == content
        assert storage.is_file(name)
        assert not storage.is_file(name.split("/")[0] + "/none")
        assert [(file.name, file.size) for file in storage.files()] == [(name, len(content))]
        assert storage.fetch(name).read_bytes() == content

    @pytest.mark.parametrize("durable", [False, True])
    def test_a_file_is_replaced_and_no_other_file_remains(self, storage, durable):
        for content in (b"long before", b"", b"new"):
            storage.write("a/x", content, durable=durable)
            assert storage.read("a/x") == content
        assert list(storage.names("a")) == ["x"]
        assert storage.fetch("a/x").read_bytes() == b"new"

    def test_a_replacement_is_stored_when_its_block_ends(self, storage):
        with storage.replacement("a/x") as path:
            path.write_bytes(b"new")
            assert storage.read("a/x") is None
        assert storage.read("a/x") == b"new"
        assert list(storage.names("a")) == ["x"]

    def test_a_failed_replacement_changes_nothing(self, storage):
        storage.write("a/x", b"old")
        with pytest.raises(KeyboardInterrupt), storage.replacement("a/x") as path:
            path.write_bytes(b"partly")
            raise KeyboardInterrupt
        assert storage.read("a/x") == b"old"
        assert list(storage.names("a")) == ["x"]

    def test_files_come_in_the_order_of_the_parts_of_their_names(self, storage):
        names = ["a/b/2", "a/b/1", "a-b/1", "b", "a/.c"]
        for name in names:
            storage.write(name, b"1")
        assert [file.name for file in storage.files()] == ["a/.c", "a/b/1", "a/b/2", "a-b/1", "b"]
        assert [file.name for file in storage.files("a/b")] == ["a/b/1", "a/b/2"]
        assert sorted(storage.names("a")) == [".c", "b"]
        assert sorted(storage.names()) == ["a", "a-b", "b"]
        assert list(storage.names("b")) == []
        storage.write("c/c", b"1")
        assert list(storage.names("c")) == ["c"]

    def test_the_time_of_a_file_is_that_of_its_last_change(self, storage):
        storage.write("a", b"1")
        first = storage.files()[0].modified
        storage.write("a", b"2")
        assert 0 <= storage.files()[0].modified - first < 600

    def test_files_and_folders_are_removed(self, storage):
        for name in ("a/t/_delta_log/1", "a/t/2", "a/x", "a/y", "b"):
            storage.write(name, b"1")
        storage.remove(iter(["a/x", "a/none", "a/y"]), durable=True)
        storage.remove_empty("a/t")
        storage.sync(["a/t/2"])
        assert [file.name for file in storage.files()] == ["a/t/2", "a/t/_delta_log/1", "b"]
        storage.remove_tree("a/t", durable=True)
        assert list(storage.names("a/t")) == []
        assert [file.name for file in storage.files()] == ["b"]

    def test_a_draft_is_kept_under_its_name(self, storage):
        path = storage.drafts / "working/maps/x.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"png")
        assert storage.keep(path) == "working/maps/x.png"
        assert storage.read("working/maps/x.png") == b"png"

    def test_the_folder_beside_has_the_same_parent(self, storage):
        storage.write("x", b"1")
        other = storage.beside("rejected")
        other.write("y/x", b"2")
        assert [file.name for file in other.files()] == ["y/x"]
        assert [file.name for file in storage.files()] == ["x"]
        assert other.location.rpartition("/")[0] == storage.location.rpartition("/")[0]
