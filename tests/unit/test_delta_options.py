"""Options of delta-rs from Spark's configuration of Hadoop."""

from types import SimpleNamespace

import pytest

from socare_spark.errors import ConfigurationError
from socare_spark.storage.delta_options import delta_options

KEYS = {"fs.s3a.access.key": "me", "fs.s3a.secret.key": "xyz", "fs.s3a.endpoint.region": "eu-1"}
OPTIONS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "xyz", "AWS_REGION": "eu-1"}
ENDPOINT, SSL = "fs.s3a.endpoint", "fs.s3a.connection.ssl.enabled"


def options_of(settings, bucket_settings=()):
    """The options of a bucket, from Hadoop's settings and from those of the bucket alone."""

    def configuration(values):
        return SimpleNamespace(
            get=values.get,
            # Java returns a password as an array of characters.
            getPassword=lambda key: None if key not in values else list(values[key]),
            getBoolean=values.get,
            values=values,
        )

    def propagate(conf, bucket):
        assert bucket == "lakes"
        return configuration({**conf.values, **dict(bucket_settings)})

    hadoop = SimpleNamespace(
        fs=SimpleNamespace(
            s3a=SimpleNamespace(S3AUtils=SimpleNamespace(propagateBucketOptions=propagate))
        )
    )
    jvm = SimpleNamespace(org=SimpleNamespace(apache=SimpleNamespace(hadoop=hadoop)))
    return delta_options(jvm, configuration(settings), "s3a", "lakes")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),  # The role of the machine is found by delta-rs itself.
        (KEYS, OPTIONS),
        ({"fs.s3a.session.token": "t"}, {"AWS_SESSION_TOKEN": "t"}),
        ({ENDPOINT: "store.example"}, {"AWS_ENDPOINT_URL": "https://store.example"}),
        (
            {ENDPOINT: "store.example:9000", SSL: False},
            {"AWS_ENDPOINT_URL": "http://store.example:9000", "AWS_ALLOW_HTTP": "true"},
        ),
        (
            {ENDPOINT: "http://127.0.0.1:7070"},
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:7070", "AWS_ALLOW_HTTP": "true"},
        ),
    ],
)
def test_settings_of_s3_become_options(settings, expected):
    assert options_of(settings) == expected


def test_settings_of_the_bucket_come_first():
    assert options_of(KEYS, {"fs.s3a.access.key": "other"}) == {
        **OPTIONS,
        "AWS_ACCESS_KEY_ID": "other",
    }


def test_hdfs_needs_no_option_and_another_store_is_refused():
    assert delta_options(None, None, "hdfs", "host:8020") == {}
    with pytest.raises(ConfigurationError, match="dbfs:// are not supported yet"):
        delta_options(None, None, "dbfs", None)
