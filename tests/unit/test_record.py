"""Records of runs whose process is gone are closed."""

import json

from socare_spark.tracking.record import Run, close_dead_runs


def test_a_record_that_still_says_running_is_closed(tmp_path):
    dead, done = Run("ingest", tmp_path, {}), Run("places", tmp_path, {})
    dead.save()
    done.finish("done")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run_record.json").write_text('{"status": "running"')
    assert close_dead_runs(tmp_path) == [dead.run_id]
    assert json.loads(dead.path.read_text())["status"] == "broken off"
    assert json.loads(done.path.read_text())["status"] == "done"
    assert close_dead_runs(tmp_path) == []
