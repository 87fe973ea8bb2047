"""Options take paths and URIs of local files, and refuse other URIs before anything is written."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from socare_spark import cli
from socare_spark.analysis import Job
from socare_spark.errors import ExitCode
from socare_spark.onboarding import command
from socare_spark.storage.location import any_location, local_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("lake", "lake"),
        ("/data/a:b/la ke", "/data/a:b/la ke"),
        ("a:b;c=d,e/lake", "a:b;c=d,e/lake"),
        ("./s3a:/bucket/lake", "s3a:/bucket/lake"),
        ("file:///data/la ke", "/data/la ke"),
        ("file:/data/lake", "/data/lake"),
        ("FILE://localhost/data", "/data"),
    ],
)
def test_paths_and_uris_of_this_machine_are_local(text, path):
    assert local_path(text) == Path(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3a://user:secret@bucket/lake", "s3a:// is not supported yet"),
        ("HDFS:/lake", "hdfs:// is not supported yet"),
        ("s3:bucket/lake", "s3:// is not supported yet"),
        ("dbfs:/mnt/lake", "dbfs:// is not supported yet"),
        ("http://host/lake", "http:// is not supported yet"),
        ("file://host/lake", "without a host"),
        ("file:///data/a%20b", "without a host and without the characters"),
        ("file:lake", "has the form file:///PATH"),
        ("file:///data/a\tsecret", "has the form file:///PATH"),
        ("file://[secret/x", "has the form file:///PATH"),
    ],
)
def test_other_uris_are_refused_without_their_secrets(text, words):
    with pytest.raises(ArgumentTypeError) as error:
        local_path(text)
    assert words in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("lake", Path("lake")),
        ("file:///data/lake", Path("/data/lake")),
        ("s3a://bucket/la ke/", "s3a://bucket/la ke"),
        ("hdfs://host:8020/lake", "hdfs://host:8020/lake"),
        ("hdfs:///lake/a", "hdfs:///lake/a"),
        (
            "abfss://$root@city1.dfs.core.windows.net/a",
            "abfss://$root@city1.dfs.core.windows.net/a",
        ),
        ("gs://city-lakes_1/a/lake/", "gs://city-lakes_1/a/lake"),
    ],
)
def test_stores_of_spark_are_named_by_their_uri(text, location):
    assert any_location(text) == location


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3a://user:secret@bucket/lake", "without a user name or password"),
        ("s3a:/bucket/lake", "has the form s3a://BUCKET/FOLDER"),
        ("s3a://bucket", "has the form s3a://BUCKET/FOLDER"),
        ("s3a://bucket/", "has the form s3a://BUCKET/FOLDER"),
        ("s3a://bucket/a//b", "empty parts"),
        ("s3a://bucket/../b", "parts such as .."),
        ("s3a://bucket/a%2Fsecret", "must not contain the characters"),
        ("s3a://bucket/a\nsecret", "must not contain the characters"),
        ("hdfs://host:port/lake", "has the form hdfs://HOST:PORT/FOLDER"),
        ("abfss://lakes/secret", "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER"),
        ("abfss://lakes@city.blob.core.windows.net/secret", "abfss://CONTAINER@ACCOUNT.dfs"),
        ("abfss://lakes:secret@city.dfs.core.windows.net/x", "abfss://CONTAINER@ACCOUNT.dfs"),
        ("gs://lakes", "has the form gs://BUCKET/FOLDER"),
        ("gs://me:secret@lakes/x", "has the form gs://BUCKET/FOLDER"),
        ("S3://bucket/lake", "s3:// is not supported: write s3a://"),
        ("dbfs:/mnt/lake", "dbfs:// is not supported"),
    ],
)
def test_uris_of_another_form_are_refused(text, words):
    with pytest.raises(ArgumentTypeError) as error:
        any_location(text)
    assert words in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("option", ["--lake", "--landing"])
def test_a_job_refuses_such_a_uri_as_usage_error_and_makes_no_folder(
    tmp_path, monkeypatch, capsys, option
):
    monkeypatch.chdir(tmp_path)
    options = {"--lake": "lake", "--landing": "landing", option: "s3a:/bucket/folder"}
    job = Job("works", "Works.", lambda _: None, lambda _: [], ())
    with pytest.raises(SystemExit) as ending:
        cli.main(job, [text for pair in options.items() for text in pair])
    assert ending.value.code == ExitCode.CONFIGURATION
    assert f"argument {option}: a URI of this store has the form" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["s3a://b/f.csv"], ["--landing", "s3a://b/f", "--check"], ["f.csv", "--write", "gs://b/f"]],
)
def test_onboarding_refuses_a_uri(capsys, arguments):
    with pytest.raises(SystemExit) as ending:
        command.main(arguments)
    assert ending.value.code == ExitCode.CONFIGURATION
    assert "is not supported yet" in capsys.readouterr().err
