"""User, password and secrets of a tracking URI are shown nowhere."""

import json
import os

import pytest

from socare_spark import cli
from socare_spark.analysis import Job
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.credentials import redacted, without_credentials
from socare_spark.tracking.run import Run

SECRET = "Zq9pass"
SHOWN = {
    f"http://ann:{SECRET}@host:5000/a": "http://host:5000/a",
    f"https://{SECRET}@host": "https://host",
    f"http://ann:{SECRET}/@{SECRET}@host/a": "http://host/a",
    f"http://ann:{SECRET}#?@host": "http://host",
    f"http://ann:{SECRET}@[::1]:5000": "http://[::1]:5000",
    f"http://[bad:{SECRET}@host": "http://host",
    f"postgresql+psycopg://ann:{SECRET}@host/db?sslpassword={SECRET}&x": (
        "postgresql+psycopg://host/db?sslpassword=***&x=***"
    ),
    f"http://host/a?token={SECRET}#{SECRET}": "http://host/a?token=***",
    f"http://host/a#{SECRET}": "http://host/a",
    f"ann:{SECRET}@host:5000": "host:5000",
    f"http:/ann:{SECRET}@host": "host",
    f"http://ann:{SECRET}://x@host": "http://host",
    "sqlite:////home/ann@council/mlflow.db": "sqlite:////home/ann@council/mlflow.db",
    "off": "off",
}


@pytest.mark.parametrize("uri", SHOWN)
def test_a_uri_is_shown_without_secrets(uri):
    assert redacted(uri) == SHOWN[uri]


@pytest.mark.parametrize("uri", SHOWN)
def test_no_record_has_a_secret(uri, tmp_path):
    options = cli.parser("ingest", "").parse_args(["--lake", str(tmp_path), "--mlflow", uri])
    run = Run("ingest", LocalStorage(tmp_path), cli._arguments_as_text(options))
    run.save()
    record = run.storage.read(run.record).decode()
    assert SECRET not in record
    assert json.loads(record)["arguments"]["mlflow"] == SHOWN[uri]


def test_a_usage_error_has_no_secret(capsys):
    uri = f"http://ann:{SECRET}@host"
    with pytest.raises(SystemExit):
        cli.parser("ingest", "").parse_args(["--lake", "x", "--tracking", uri])
    text = capsys.readouterr().err
    assert "unrecognized" in text
    assert SECRET not in text


def test_credentials_move_from_the_uri_to_the_environment():
    given = {}
    uri = without_credentials(f"https://an%40n:{SECRET}%3A@host:5000/a?b", given)
    assert uri == "https://host:5000/a?b"
    assert given == {
        "MLFLOW_TRACKING_USERNAME": "an@n",
        "MLFLOW_TRACKING_PASSWORD": f"{SECRET}:",
    }


@pytest.mark.parametrize("uri", ["off", "http://host/a@b", f"postgresql://ann:{SECRET}@host/db"])
def test_uris_without_http_credentials_are_unchanged(uri):
    given = {}
    assert without_credentials(uri, given) == uri
    assert given == {}


def test_the_command_takes_credentials_out_of_the_uri(monkeypatch, tmp_path):
    seen = {}
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(cli, "_run_to_exit_code", lambda *given: seen.update(vars(given[2])) or 0)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    job = Job("ingest", "", lambda _: None, lambda _: (), ())
    arguments = ["--lake", str(tmp_path), "--mlflow", f"http://ann:{SECRET}@host"]
    assert cli.main(job, arguments) == 0
    assert seen["mlflow"] == "http://host"
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == SECRET
