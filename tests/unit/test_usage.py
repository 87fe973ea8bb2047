"""Options that a job refuses before it starts."""

import pytest

from socare_spark import cli
from socare_spark.errors import ExitCode
from socare_spark.ingest.job import JOB


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: --lake"),
        (["--lake", "lake", "--as-of", "soon"], "a day must have the form 2016-12-31"),
    ],
)
def test_a_missing_lake_and_an_unknown_day_are_usage_errors(capsys, arguments, message):
    with pytest.raises(SystemExit) as ending:
        cli.main(JOB, arguments)
    assert ending.value.code == ExitCode.CONFIGURATION
    assert message in capsys.readouterr().err
