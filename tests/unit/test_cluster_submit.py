"""The exit code of a job in cluster mode, from the recorded output of spark-submit."""

import sys

import pytest

from scripts.cluster_submit import CodeReader, read_settings, refusal_of_secrets, run

YARN = """\
26/11/28 09:12:04 INFO YarnClientImpl: Submitted application application_1795857102144_0003
26/11/28 09:12:05 INFO Client: Application report (state: ACCEPTED)
26/11/28 09:13:41 INFO Client: Application report (state: FINISHED)
\t diagnostics: User application exited with status 3
\t final status: FAILED
26/11/28 09:13:41 ERROR Client: Application diagnostics message: User \
application exited with status 3
Exception in thread "main" org.apache.spark.SparkException: Application \
application_1795857102144_0003 finished with failed status
"""
KUBERNETES = """\
26/11/28 10:57:03 INFO LoggingPodStatusWatcherImpl: Waiting for application study.py} with \
application ID spark-0ef7e2f9 and submission ID socare:study-py-50bc6ca221ccd7c6-driver to finish...
26/11/28 10:57:03 INFO LoggingPodStatusWatcherImpl: Container final statuses:


\t container name: spark
\t container image: socare_spark:0.1.0
\t container state: terminated
\t exit code: 5
\t termination reason: Error
"""


def read(text):
    reader = CodeReader()
    for line in text.splitlines():
        reader.read(line)
    return reader


def test_a_job_on_yarn_ends_with_its_own_code():
    reader = read(YARN)
    assert reader.exit_code(1) == 3
    assert reader.end_command == "yarn application -kill application_1795857102144_0003"


def test_a_job_on_kubernetes_ends_with_its_own_code():
    reader = read(KUBERNETES)
    assert reader.exit_code(0) == 5
    assert reader.end_command.endswith("--kill socare:study-py-50bc6ca221ccd7c6-driver")


@pytest.mark.parametrize(("submitted", "code"), [(0, 0), (1, 6)])
def test_without_a_report_the_code_is_that_of_the_submission(submitted, code):
    assert read("INFO Client: Application report (state: FINISHED)").exit_code(submitted) == code


def test_the_code_of_another_container_is_not_that_of_the_job():
    reader = CodeReader()
    for name, code in (("spark", 3), ("sidecar", 0)):
        reader.read(f"\t container name: {name}\n")
        reader.read(f"\t exit code: {code}\n")
    assert reader.exit_code(0) == 3


def test_the_output_is_passed_on_and_the_code_returned(capfd):
    program = (
        "import sys; sys.stderr.write('User application exited with status 4\\n'); sys.exit(1)"
    )
    assert run([sys.executable, "-c", program]) == 4
    assert "status 4" in capfd.readouterr().err


def test_a_driver_that_does_not_start_is_an_infrastructure_error(capfd):
    assert run([sys.executable, "-c", "raise SystemExit(1)"]) == 6
    assert "did not report an exit code" in capfd.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "spark.hadoop.fs.s3a.secret.key  planted",
        "spark.hadoop.fs.s3a.access.key=planted",
        "spark.hadoop.fs.azure.account.key.x.dfs.core.windows.net planted",
        "spark.hadoop.socare.key : planted",
        "spark.kubernetes.driverEnv.DB_PASSWORD planted",
        "spark.kubernetes.driverEnv.SOCARE_KEY planted",
        "spark.yarn.appMasterEnv.SOCARE_KEY=planted",
        "spark.hadoop.fs.s3a.encryption.key planted",
        "spark.hadoop.fs.s3a.secret.key \\\n    planted",
    ],
)
def test_a_secret_in_the_settings_is_refused_and_not_shown(tmp_path, line):
    path = tmp_path / "kubernetes.conf"
    path.write_text(f"# a comment\nspark.master yarn\n{line}\n")
    message = refusal_of_secrets(path)
    assert line.split()[0].split("=")[0] in message
    assert "planted" not in message


def test_references_to_secrets_are_accepted(tmp_path):
    path = tmp_path / "kubernetes.conf"
    path.write_text(
        "spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY store:secret\n"
        "spark.kubernetes.driver.secrets.socare-key /etc/key\n"
        "spark.hadoop.hadoop.security.credential.provider.path jceks://hdfs@h:1/k\n"
        "spark.yarn.appMasterEnv.SOCARE_KEY_FILE /etc/key\n"
        "# spark.hadoop.fs.s3a.secret.key planted\n"
    )
    assert refusal_of_secrets(path) is None
    assert len(read_settings(path)) == 4
