"""Run records in MLflow: on databases in a temporary folder, and against a server that errs."""

import json
import shutil
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from mlflow.tracking import MlflowClient

from socare_spark.lake.lake import Lake
from socare_spark.tracking.checkout import commit
from socare_spark.tracking.mirror import Mirror, TrackerError, experiment_of, local_uri
from socare_spark.tracking.mlflow_tracker import MlflowTracker
from socare_spark.tracking.run import Run

EXPERIMENT = "socare_spark/northmoor/study"
ODD = "a?b %41 # é&c"


class Said:
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database without experiments of ours; making one takes seconds."""
    lake = Lake(tmp_path_factory.mktemp("empty"))
    MlflowTracker(local_uri(lake), lake, "unused")
    return lake.storage.root / "mlflow.db"


def lake_in(folder, empty):
    folder.mkdir(parents=True)
    shutil.copy(empty, folder / "mlflow.db")
    return Lake(folder)


@pytest.fixture
def lake(tmp_path, empty):
    return lake_in(tmp_path / "lake", empty)


def ended(lake, job="ingest", status="done", **given):
    run = Run(job, lake.storage, {"as_of": "2016-12-31"}, **given)
    run.started = "2017-02-03T04:05:06+00:00"
    run.save()
    run.finish(status)
    run.seconds = 90.5
    return run


def sent(lake, run, uri=None):
    tracker = MlflowTracker(uri or local_uri(lake), lake, EXPERIMENT)
    tracker.begin(run)
    tracker.end(run)
    return found(uri or local_uri(lake), run)


def found(uri, run):
    client = MlflowClient(uri)
    names = [e.experiment_id for e in client.search_experiments()]
    (one,) = client.search_runs(names, f"tags.`socare.run_id` = '{run.run_id}'")
    return one


def drawn(lake, run, name="chart.png"):
    path = lake.storage.root / "working" / "pictures" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")
    run.pictures.append(str(path.relative_to(lake.storage.root)))
    return run


def files(folder):
    return {p.name for p in folder.rglob("*") if p.is_file()}


# ---------------------------------------------------------------------------------- places


def test_each_council_and_project_has_an_experiment(tmp_path):
    text = "council: {}\nproject: {}\nkey_id: k1\nschemes: {{}}\n"
    names = set()
    for council, project in (("a", "b/c"), ("a/b", "c"), ("a%2Fb", "c"), ("a", "b")):
        (tmp_path / "project.yaml").write_text(text.format(council, project))
        names.add(experiment_of(tmp_path))
    assert "socare_spark/a/b" in names
    assert len(names) == 4


def test_a_configuration_without_a_project_has_the_common_experiment(tmp_path):
    assert experiment_of(tmp_path) == "socare_spark"


def test_database_is_created_in_a_lake_with_special_characters_in_its_path(tmp_path):
    lake = Lake(tmp_path / ODD / "lake")
    lake.storage.root.mkdir(parents=True)
    run = drawn(lake, ended(lake))
    mirror = Mirror(None, lake, Said(), EXPERIMENT)
    mirror.begin(run)
    mirror.end(run)
    mirror.close()
    assert {p.name for p in tmp_path.iterdir()} == {ODD}
    assert (lake.storage.root / "mlflow.db").is_file()
    assert files(lake.storage.root / "mlflow") == {"run_record.json", "chart.png"}
    assert MlflowClient(local_uri(lake)).get_experiment_by_name(EXPERIMENT) is not None


def test_a_lake_that_moved_keeps_its_pictures_together(tmp_path, lake):
    first = drawn(lake, ended(lake))
    sent(lake, first)
    moved = Lake(tmp_path / "moved")
    lake.storage.root.rename(moved.storage.root)
    second = drawn(moved, ended(moved), "other.png")
    sent(moved, second)
    assert not lake.storage.root.exists()
    assert {"chart.png", "other.png"} <= files(moved.storage.root / "mlflow")
    client = MlflowClient(local_uri(moved))
    for run, name in ((first, "chart.png"), (second, "other.png")):
        ours = found(local_uri(moved), run).info
        assert [f.path for f in client.list_artifacts(ours.run_id, "pictures")] == [
            f"pictures/{name}"
        ]
        assert ours.artifact_uri.startswith(moved.storage.root.as_uri() + "/")


def test_two_lakes_with_one_database_keep_their_pictures_apart(tmp_path, empty, lake):
    other = lake_in(tmp_path / "other", empty)
    sent(lake, drawn(lake, ended(lake)), local_uri(lake))
    sent(other, drawn(other, ended(other), "other.png"), local_uri(lake))
    assert files(lake.storage.root / "mlflow") == {"run_record.json", "chart.png"}
    assert files(other.storage.root / "mlflow") == {"run_record.json", "other.png"}


# ------------------------------------------------------------------------------------ runs


def test_a_run_has_its_times_its_user_and_its_source(lake):
    run = sent(lake, ended(lake))
    began = datetime(2017, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp() * 1000
    assert (run.info.start_time, run.info.end_time) == (began, began + 90_500)
    assert run.data.tags["mlflow.source.name"] == "jobs/ingest.py"
    assert run.data.tags["mlflow.source.type"] == "JOB"
    assert run.data.tags["mlflow.user"] not in ("", "unknown")


def test_metrics_have_a_time_and_a_step(lake):
    run = ended(lake, "places")
    run.counts = {"places.wards.by_code": 3, "seconds/reference/areas": 1.5, "other.né": 2}
    run.outputs = {
        "reference/areas": {"version": 0, "rows": 7},
        "x/y": {"version": 1, "rows": None},
    }
    ours = sent(lake, run)
    assert ours.data.metrics == {
        "places/count/wards.by_code": 3,
        "places/count/other.né": 2,
        "places/seconds/reference/areas": 1.5,
        "places/seconds/total": 90.5,
        "places/rows/reference/areas": 7,
    }
    client = MlflowClient(local_uri(lake))
    (metric,) = client.get_metric_history(ours.info.run_id, "places/seconds/total")
    assert (metric.step, metric.timestamp) == (201612, ours.info.end_time)


def test_names_that_mlflow_refuses_do_not_hide_the_others(lake):
    run = ended(lake)
    run.counts = {"a,b": 1, "../x//y": 2, "z" * 400: 3}
    run.counts |= {f"n{i}": i for i in range(120)}
    run.tables_read = {f"t{i}": i for i in range(120)}
    ours = sent(lake, run)
    assert ours.data.metrics["ingest/count/a_b"] == 1
    assert ours.data.metrics["ingest/count/x/y"] == 2
    assert ours.data.metrics["ingest/count/n119"] == 119
    assert ours.data.tags["reads.t119"] == "119"


def entry(**given):
    names = ("read", "kept", "quarantined", "duplicate", "superseded")
    rows = {f"rows_{name}": 0 for name in names}
    return {"dataset": "visits", "file": "v/1.csv", "sha256": "ab" * 32, **rows, **given}


def test_row_counts_of_each_dataset_are_metrics(lake):
    run = ended(lake)
    run.ledger = [
        entry(status="accepted", rows_read=10, rows_kept=6, rows_quarantined=4),
        entry(file="v/2.csv", status="accepted", rows_read=5, rows_kept=4, rows_duplicate=1),
        entry(file="v/0.csv", status="amended", rows_read=9, rows_kept=7, rows_superseded=2),
        entry(file="v/3.csv", status="refused"),
    ]
    write_deltalake(lake.storage.root / "restricted/people", pa.table({"person": [1, 2, 3]}))
    metrics = sent(lake, run).data.metrics
    expected = {"rows_read": 15, "rows_kept": 10, "rows_quarantined": 4, "rows_duplicate": 1}
    expected |= {"rows_superseded": 0, "amended_rows_superseded": 2, "amended_rows_kept": 7}
    expected |= {"files_accepted": 2, "files_refused": 1, "files_amended": 1}
    assert {n: metrics[f"ingest/{n}/visits"] for n in expected} == expected
    assert metrics["ingest/people/known"] == 3


def test_files_and_tables_are_datasets(lake):
    for _ in range(2):
        rows = pa.table({"n": pa.array([1], pa.int64()), "names": [["x"]]})
        write_deltalake(lake.storage.root / "working/visits", rows, mode="append")
    run = ended(lake)
    run.files_read = {"v/1.csv": "ab" * 32}
    run.ledger = [entry(status="accepted", rows_read=10)]
    run.tables_read = {"working/visits": 0, "working/gone": 5}
    run.outputs = {"working/visits": {"version": 1, "rows": 1}}
    inputs = sent(lake, run).inputs.dataset_inputs
    tags = [{t.key: t.value for t in one.tags} for one in inputs]
    got = {
        (i.dataset.name, t["mlflow.data.context"]): (i.dataset, t)
        for i, t in zip(inputs, tags, strict=True)
    }
    assert set(got) == {
        ("v/1.csv", "extract"),
        ("working/visits", "read"),
        ("working/visits", "output"),
        ("working/gone", "read"),
    }
    file, _ = got["v/1.csv", "extract"]
    assert file.digest == ("ab" * 32)[:16]
    assert json.loads(file.profile) == {"num_rows": 10}
    table, tags = got["working/visits", "read"]
    assert tags["version"] == "0"
    columns = json.loads(table.schema)["mlflow_colspec"]
    assert [(c["name"], c["type"]) for c in columns] == [("n", "long"), ("names", "array")]
    assert table.digest != got["working/visits", "output"][0].digest


def test_a_run_that_changed_nothing_sends_no_pictures(lake):
    run = drawn(lake, ended(lake))
    run.up_to_date = True
    run.outputs = {"working/visits": {"version": 1, "rows": 1}}
    ours = sent(lake, run)
    assert files(lake.storage.root / "mlflow") == {"run_record.json"}
    assert ours.inputs.dataset_inputs == []
    assert ours.data.tags["socare.up_to_date"] == "true"


def test_the_commit_of_a_checkout_is_read_without_git(tmp_path):
    main, beside = tmp_path / "main", tmp_path / "beside"
    for root in (main, beside):
        (root / "socare_spark").mkdir(parents=True)
        (root / "socare_spark" / "__init__.py").touch()
    assert commit(iter([main])) is None
    git = main / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "worktrees/beside").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert commit(iter([main])) is None
    (git / "packed-refs").write_text(f"# pack-refs\n{'a' * 40} refs/heads/main\n")
    assert commit(iter([main])) == "a" * 40
    (git / "refs/heads/main").write_text("b" * 40 + "\n")
    assert commit(iter([tmp_path, main])) == "b" * 40
    (beside / ".git").write_text(f"gitdir: {git}/worktrees/beside\n")
    (git / "worktrees/beside/commondir").write_text("../..\n")
    (git / "worktrees/beside/HEAD").write_text("ref: refs/heads/main\n")
    assert commit(iter([beside])) == "b" * 40
    (git / "worktrees/beside/HEAD").write_text("c" * 40)
    assert commit(iter([beside])) == "c" * 40


# ---------------------------------------------------------------------------------- errors


@pytest.fixture
def server():
    """A server that answers every request with one status and text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.answer[0])
            self.end_headers()
            self.wfile.write(self.server.answer[1].encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def note(lake, uri):
    said = Said()
    mirror = Mirror(uri, lake, said, EXPERIMENT)
    run = ended(lake)
    mirror.begin(run)
    mirror.end(run)
    mirror.close()
    (line,) = said.lines
    assert "s3cret" not in line
    assert "alice" not in line
    assert "not mirrored to MLflow" in line
    return line


DELETED = {"experiment": {"experiment_id": "7", "name": EXPERIMENT, "lifecycle_stage": "deleted"}}


@pytest.mark.parametrize(
    ("status", "text", "says"),
    [
        (401, "You are not authenticated. s3cret", "refused access"),
        (
            403,
            json.dumps({"error_code": "PERMISSION_DENIED", "message": "s3cret"}),
            "refused access",
        ),
        (404, "<html>s3cret</html>", "not as an MLflow server"),
        (200, "<html>s3cret</html>", "not as an MLflow server"),
        (500, "s3cret", "reported INTERNAL_ERROR"),
        (200, json.dumps(DELETED), "mlflow experiments restore --experiment-id 7"),
    ],
)
def test_each_error_of_a_server_has_its_message(lake, server, status, text, says):
    server.answer = (status, text)
    port = server.server_address[1]
    line = note(lake, f"http://alice:s3cret@127.0.0.1:{port}/?token=s3cret")
    assert says in line
    if "restore" not in says:
        assert f"the server 127.0.0.1:{port}" in line


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://alice:s3cret@127.0.0.1:9", "the server 127.0.0.1:9 did not answer"),
        ("htp://alice:s3cret@example.org", "the URI is not a tracking URI"),
        ("http://", "the URI is not a tracking URI"),
        ("http://alice:s3cret@[::", "the URI is not a tracking URI"),
    ],
)
def test_each_bad_address_has_its_message(lake, uri, says):
    assert says in note(lake, uri)


def test_a_file_that_is_no_database_has_its_message(lake):
    path = lake.storage.root / "s3cret.db"
    path.write_text("no database" * 100)
    assert "the database could not be opened" in note(lake, f"sqlite:///{path}")


def test_a_deleted_experiment_is_named_and_left(lake):
    client = MlflowClient(local_uri(lake))
    number = client.create_experiment(EXPERIMENT)
    client.delete_experiment(number)
    line = note(lake, None)
    assert f"the experiment {EXPERIMENT} is deleted" in line
    assert client.get_experiment(number).lifecycle_stage == "deleted"


class Flaky:
    """A tracker that errs on some of its calls."""

    def __init__(self, errs):
        self.errs, self.calls, self.done = errs, 0, []

    def _call(self, kind, run):
        self.calls += 1
        if self.calls in self.errs:
            raise self.errs[self.calls]
        self.done.append((kind, run.job))

    def begin(self, run):
        self._call("begin", run)

    def end(self, run):
        self._call("end", run)


def mirrored(lake, monkeypatch, errs):
    flaky, said = Flaky(errs), Said()
    monkeypatch.setattr(Mirror, "_connect", lambda _: flaky)
    mirror = Mirror(None, lake, said)
    for job in ("ingest", "places"):
        run = ended(lake, job)
        mirror.begin(run)
        mirror.end(run)
    mirror.close()
    return flaky, said.lines


PASSING = TrackerError("it was busy", lasting=False)
ALL = [("begin", "ingest"), ("end", "ingest"), ("begin", "places"), ("end", "places")]


def test_one_passing_error_is_tried_again(lake, monkeypatch):
    flaky, lines = mirrored(lake, monkeypatch, {2: PASSING})
    assert flaky.done == ALL
    assert lines == []


def test_an_error_of_one_run_does_not_end_the_mirror(lake, monkeypatch):
    flaky, lines = mirrored(lake, monkeypatch, {2: ValueError("s3cret"), 3: PASSING})
    assert flaky.done == [ALL[0], *ALL[2:]]
    (line,) = lines
    assert "the run of ingest was not mirrored to MLflow (it was busy)" in line


def test_a_lasting_error_ends_the_mirror_at_once(lake, monkeypatch):
    flaky, lines = mirrored(lake, monkeypatch, {2: TrackerError("refused", lasting=True)})
    assert flaky.calls == 2
    (line,) = lines
    assert "the run of ingest, places was not mirrored to MLflow (refused)" in line


def test_a_run_whose_beginning_was_not_sent_is_sent_at_its_end(lake):
    tracker = MlflowTracker(local_uri(lake), lake, EXPERIMENT)
    run = ended(lake)
    tracker.end(run)
    MlflowTracker(local_uri(lake), lake, EXPERIMENT).begin(run)
    assert found(local_uri(lake), run).info.status == "FINISHED"


def test_runs_that_broke_off_are_closed(lake):
    run = ended(lake)
    tracker = MlflowTracker(local_uri(lake), lake, EXPERIMENT)
    tracker.begin(run)
    said = Said()
    mirror = Mirror(None, lake, said, EXPERIMENT)
    mirror.close_dead([run.run_id])
    mirror.close()
    assert said.lines == []
    assert found(local_uri(lake), run).info.status == "KILLED"
