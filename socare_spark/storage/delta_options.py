"""Options of delta-rs for a store of Spark, from Spark's configuration of Hadoop."""

from typing import Any

from socare_spark.errors import ConfigurationError

_S3 = {
    "fs.s3a.access.key": "AWS_ACCESS_KEY_ID",
    "fs.s3a.secret.key": "AWS_SECRET_ACCESS_KEY",
    "fs.s3a.session.token": "AWS_SESSION_TOKEN",
}


def delta_options(jvm: Any, conf: Any, scheme: str, authority: str | None) -> dict[str, str]:  # noqa: ANN401 - Java objects
    """The options with which delta-rs reads and writes tables of a store.

    Args:
        jvm: The Java process.
        conf: Hadoop's configuration.
        scheme: Scheme of the store.
        authority: Bucket or host of the store.

    Raises:
        ConfigurationError: delta-rs cannot be used for the scheme.
    """
    if scheme in ("hdfs", "file"):
        return {}
    if scheme != "s3a":
        raise ConfigurationError(f"Tables on {scheme}:// are not supported yet.")
    settings = jvm.org.apache.hadoop.fs.s3a.S3AUtils.propagateBucketOptions(conf, authority)
    options = {}
    for key, option in _S3.items():
        # A password can be in a credential provider instead of the configuration.
        value = settings.getPassword(key)
        if value is not None:
            options[option] = "".join(value)
    region = settings.get("fs.s3a.endpoint.region")
    if region:
        options["AWS_REGION"] = region
    endpoint = settings.get("fs.s3a.endpoint")
    if endpoint:
        has_ssl = settings.getBoolean("fs.s3a.connection.ssl.enabled", True)
        url = endpoint if "://" in endpoint else f"http{'s' if has_ssl else ''}://{endpoint}"
        options["AWS_ENDPOINT_URL"] = url
        if url.startswith("http://"):
            options["AWS_ALLOW_HTTP"] = "true"
    return options
