"""The key in Hadoop's credential provider, in a keystore that Hadoop's own command makes."""

import os
import subprocess

import pytest

from socare_spark.contracts.project import Project, Scheme
from socare_spark.errors import NotPermittedError
from socare_spark.ingest.key_source import find_key
from socare_spark.ingest.pseudonym import Keyring, open_keyring

PROJECT = Project(council="c", project="p", key_id="k1", schemes={"a": Scheme()})
TEXT = "cd" * 32
PROVIDER = "hadoop.security.credential.provider.path"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """A keystore with the key, and one with another secret only."""
    folder = tmp_path_factory.mktemp("keystore")

    def make(name, alias):
        uri = f"jceks://file{folder / name}"
        java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
        shell = "org.apache.hadoop.security.alias.CredentialShell"
        command = [java, "-cp", f"{os.environ['SPARK_HOME']}/jars/*", shell, "create", alias]
        subprocess.run(
            [*command, "-value", TEXT, "-provider", uri], check=True, capture_output=True
        )
        return uri

    return make("socare.jceks", "socare.key"), make("other.jceks", "fs.s3a.secret.key")


def test_the_session_configuration_is_the_source_of_the_keyring(spark, provider):
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    configuration.set(PROVIDER, provider[0])
    try:
        ring = open_keyring(PROJECT, synthetic=False, environment={})
    finally:
        configuration.unset(PROVIDER)
    assert ring.subkey("a") == Keyring(bytes.fromhex(TEXT), PROJECT).subkey("a")


@pytest.fixture
def configuration(spark):
    jvm = spark.sparkContext._jvm
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    return jvm.org.apache.hadoop.conf.Configuration(hadoop)


def test_the_key_is_read_from_the_provider(configuration, provider):
    configuration.set(PROVIDER, provider[0])
    source = find_key({}, configuration)
    assert source.key() == bytes.fromhex(TEXT)
    assert TEXT not in repr(source)


def test_a_second_source_is_refused(configuration, provider):
    configuration.set(PROVIDER, provider[0])
    with pytest.raises(NotPermittedError, match=r"SOCARE_KEY and in socare\.key"):
        find_key({"SOCARE_KEY": TEXT}, configuration)


def test_a_provider_of_other_secrets_is_no_source(configuration, provider):
    configuration.set(PROVIDER, provider[1])
    assert find_key({"SOCARE_KEY": TEXT}, configuration).name == "SOCARE_KEY"
    with pytest.raises(NotPermittedError, match="No key is set"):
        find_key({}, configuration)


def test_a_provider_that_cannot_be_read_is_refused(configuration, tmp_path):
    (tmp_path / "broken.jceks").write_text("no keystore")
    configuration.set(PROVIDER, f"jceks://file{tmp_path}/broken.jceks")
    with pytest.raises(NotPermittedError, match="cannot be read"):
        find_key({}, configuration)


def test_a_key_in_a_setting_is_refused(configuration):
    configuration.set("socare.key", TEXT)
    with pytest.raises(NotPermittedError, match="clear text") as error:
        find_key({}, configuration)
    assert TEXT not in str(error.value)
