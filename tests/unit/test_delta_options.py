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


HOST = "city.dfs.core.windows.net"
ACCOUNT = {"azure_storage_account_name": "city"}
AUTH = "fs.azure.account.auth.type"
OAUTH = {
    AUTH: "OAuth",
    "fs.azure.account.oauth.provider.type": (
        "org.apache.hadoop.fs.azurebfs.oauth2.ClientCredsTokenProvider"
    ),
    "fs.azure.account.oauth2.client.id": "app",
    "fs.azure.account.oauth2.client.secret": "xyz",
    "fs.azure.account.oauth2.client.endpoint": "https://login.example/tenant-1/oauth2/token",
}
MACHINE = {
    AUTH: "OAuth",
    "fs.azure.account.oauth.provider.type": "org.apache.hadoop.fs.azurebfs.oauth2.MsiTokenProvider",
}


def options_elsewhere(settings, scheme, authority):
    conf = SimpleNamespace(
        getPassword=lambda key: None if key not in settings else list(settings[key])
    )
    return delta_options(None, conf, scheme, authority)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fs.azure.account.key": "k"}, {"azure_storage_account_key": "k"}),
        (
            {"fs.azure.account.key": "k", f"fs.azure.account.key.{HOST}": "own"},
            {"azure_storage_account_key": "own"},
        ),
        (
            {f"{AUTH}.{HOST}": "SAS", f"fs.azure.sas.fixed.token.{HOST}": "sv=1&sig=2"},
            {"azure_storage_sas_token": "sv=1&sig=2"},
        ),
        (
            OAUTH,
            {
                "azure_storage_client_id": "app",
                "azure_storage_client_secret": "xyz",
                "azure_storage_authority_host": "https://login.example",
                "azure_storage_tenant_id": "tenant-1",
            },
        ),
        (MACHINE, {}),
        (
            MACHINE | {"fs.azure.account.oauth2.client.id": "app"},
            {"azure_storage_client_id": "app"},
        ),
    ],
)
def test_settings_of_azure_become_options(settings, expected):
    assert options_elsewhere(settings, "abfss", f"lakes@{HOST}") == ACCOUNT | expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "for the authentication SharedKey: set fs.azure.account.key."),
        ({AUTH: "SAS"}, "set fs.azure.sas.fixed.token."),
        (
            {k: v for k, v in OAUTH.items() if not k.endswith("secret")},
            "set fs.azure.account.oauth2.client.id, fs.azure.account.oauth2.client.secret, "
            "fs.azure.account.oauth2.client.endpoint.",
        ),
        ({AUTH: "Custom", "fs.azure.account.key": "secret"}, "is not supported: use SharedKey"),
    ],
)
def test_azure_without_usable_credentials_is_refused(settings, words):
    with pytest.raises(ConfigurationError) as error:
        options_elsewhere(settings, "abfss", f"lakes@{HOST}")
    assert words in str(error.value)
    assert "Azure account city" in str(error.value)
    assert "xyz" not in str(error.value)


@pytest.mark.parametrize("prefix", ["fs.gs", "google.cloud"])
def test_the_key_file_of_google_becomes_an_option(prefix):
    settings = {f"{prefix}.auth.service.account.json.keyfile": "/keys/city.json"}
    expected = {"google_service_account": "/keys/city.json"}
    assert options_elsewhere(settings, "gs", "lakes") == expected
    assert options_elsewhere({}, "gs", "lakes") == {}


def test_hdfs_needs_no_option_and_another_store_is_refused():
    assert delta_options(None, None, "hdfs", "host:8020") == {}
    with pytest.raises(ConfigurationError, match="dbfs:// are not supported yet"):
        delta_options(None, None, "dbfs", None)
