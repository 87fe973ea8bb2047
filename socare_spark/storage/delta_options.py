"""Options of delta-rs for a store of Spark, from Spark's configuration of Hadoop.

A store without credentials in the configuration has those of the machine (a role or an identity),
which delta-rs finds itself.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from socare_spark.errors import ConfigurationError

_S3 = {
    "fs.s3a.access.key": "AWS_ACCESS_KEY_ID",
    "fs.s3a.secret.key": "AWS_SECRET_ACCESS_KEY",
    "fs.s3a.session.token": "AWS_SESSION_TOKEN",
}
_AZURE = "fs.azure.account"
# Type of authentication -> option of its one setting.
_AZURE_KEYS = {
    "SharedKey": (f"{_AZURE}.key", "azure_storage_account_key"),
    "SAS": ("fs.azure.sas.fixed.token", "azure_storage_sas_token"),
}
_AZURE_CLIENT = {
    f"{_AZURE}.oauth2.client.id": "azure_storage_client_id",
    f"{_AZURE}.oauth2.client.secret": "azure_storage_client_secret",
}
# Versions of Google's connector have different names.
_GOOGLE_KEY_FILES = (
    "fs.gs.auth.service.account.json.keyfile",
    "google.cloud.auth.service.account.json.keyfile",
)
# Returns the text of a setting; None if it is not set.
_Setting = Callable[[str], str | None]


# Spark sets it if neither an endpoint nor a region is configured.
_AWS_ENDPOINT = "s3.amazonaws.com"


def delta_options(jvm: Any, conf: Any, scheme: str, authority: str | None) -> dict[str, str]:  # noqa: ANN401 - Java objects
    """The options with which delta-rs reads and writes tables of a store.

    Args:
        jvm: The Java process.
        conf: Hadoop's configuration.
        scheme: Scheme of the store.
        authority: Bucket, container and account, or host of the store.

    Raises:
        ConfigurationError: delta-rs cannot be used for the scheme or for its credentials.
    """
    match scheme:
        case "hdfs" | "file":
            return {}
        case "s3a":
            utilities = jvm.org.apache.hadoop.fs.s3a.S3AUtils
            return _s3_options(utilities.propagateBucketOptions(conf, authority))
        case "abfss":
            return _azure_options(conf, (authority or "").rpartition("@")[2])
        case "gs":
            setting = _setting(conf)
            key_files = [file for key in _GOOGLE_KEY_FILES if (file := setting(key))]
            return {"google_service_account": key_files[0]} if key_files else {}
    raise ConfigurationError(f"Tables on {scheme}:// are not supported yet.")


def _s3_options(conf: Any) -> dict[str, str]:  # noqa: ANN401 - a Java object
    options = _options_of(_setting(conf), _S3)
    region = conf.get("fs.s3a.endpoint.region")
    if region:
        options["AWS_REGION"] = region
    endpoint = conf.get("fs.s3a.endpoint")
    # The general endpoint of AWS would answer for buckets of other regions with a redirect.
    if endpoint and endpoint != _AWS_ENDPOINT:
        has_ssl = conf.getBoolean("fs.s3a.connection.ssl.enabled", True)
        url = endpoint if "://" in endpoint else f"http{'s' if has_ssl else ''}://{endpoint}"
        options["AWS_ENDPOINT_URL"] = url
        if url.startswith("http://"):
            options["AWS_ALLOW_HTTP"] = "true"
    return options


def _azure_options(conf: Any, host: str) -> dict[str, str]:  # noqa: ANN401 - a Java object
    """The options of an account of Azure, by its host.

    Raises:
        ConfigurationError: the configuration has credentials that delta-rs cannot use.
    """
    setting = _setting(conf, host)
    options = {"azure_storage_account_name": host.partition(".")[0]}
    kind = setting(f"{_AZURE}.auth.type") or "SharedKey"
    provider = (setting(f"{_AZURE}.oauth.provider.type") or "").rpartition(".")[2]
    if kind in _AZURE_KEYS:
        key, option = _AZURE_KEYS[kind]
        value = setting(key)
        if value:
            return options | {option: value}
        needed = key
    elif kind == "OAuth" and provider == "ClientCredsTokenProvider":
        endpoint = f"{_AZURE}.oauth2.client.endpoint"
        found = _options_of(setting, _AZURE_CLIENT)
        # https://HOST/TENANT/oauth2/token
        parts = urlsplit(setting(endpoint) or "")
        tenant = parts.path.strip("/").partition("/")[0]
        if len(found) == len(_AZURE_CLIENT) and tenant:
            host_option = {"azure_storage_authority_host": f"{parts.scheme}://{parts.netloc}"}
            return options | found | host_option | {"azure_storage_tenant_id": tenant}
        needed = ", ".join((*_AZURE_CLIENT, endpoint))
    elif kind == "OAuth" and provider == "MsiTokenProvider":
        client, option = next(iter(_AZURE_CLIENT.items()))
        return options | _options_of(setting, {client: option})
    else:
        raise ConfigurationError(
            f"The authentication of the Azure account {options['azure_storage_account_name']} in "
            f"Spark's configuration ({_AZURE}.auth.type) is not supported: use SharedKey, SAS with "
            "a fixed token, or OAuth with ClientCredsTokenProvider or MsiTokenProvider."
        )
    raise ConfigurationError(
        f"Spark's configuration lacks credentials of the Azure account "
        f"{options['azure_storage_account_name']} for the authentication {kind}: set {needed}."
    )


def _setting(conf: Any, account: str = "") -> _Setting:  # noqa: ANN401 - a Java object
    """Reads settings of which some can be in a credential provider.

    Args:
        conf: Hadoop's configuration.
        account: Added to names of settings; a setting with it comes first.
    """

    def setting(key: str) -> str | None:
        for name in (f"{key}.{account}", key) if account else (key,):
            value = conf.getPassword(name)
            if value is not None:
                return "".join(value)
        return None

    return setting


def _options_of(setting: _Setting, names: Mapping[str, str]) -> dict[str, str]:
    found = {option: setting(key) for key, option in names.items()}
    return {option: value for option, value in found.items() if value is not None}
