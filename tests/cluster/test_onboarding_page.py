"""The commands of docs/onboarding.md, from an unknown workbook to a map, with their output."""

import os
import re
import signal
import subprocess

from processes import ROOT

PAGE = ROOT / "docs" / "onboarding.md"
# Times differ between runs.
_TIME = re.compile(r"\d+:\d\d |\d+\.\d s")


def blocks():
    """Commands of the page in order, each with its lines of output; None for a block without."""
    page = PAGE.read_text("utf-8")
    for kind, text in re.findall(r"^```(sh|console)\n(.*?)^```", page, re.S | re.M):
        if kind == "sh":
            yield text, None
            continue
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.splitlines()


def test_the_page_runs(tmp_path):
    # The session options of the tests are not those of the commands.
    own = ("SOCARE_KEY", "SOCARE_KEY_FILE", "PYSPARK_SUBMIT_ARGS")
    environment = {k: v for k, v in os.environ.items() if k not in own}
    prepare = ". scripts/env.sh && use_environment"
    count = 0
    for command, expected in blocks():
        script = command.replace("build/passes", str(tmp_path))
        process = subprocess.run(
            ["bash", "-c", f"{prepare} && set -o pipefail\n{script}"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        # A thread of pyarrow can abort the interpreter after a one-line program has ended.
        aborted = command.startswith("python -c") and process.returncode == -signal.SIGABRT
        assert process.returncode == 0 or aborted, f"{command}\n{process.stdout}{process.stderr}"
        if expected is not None:
            output = process.stdout.replace(str(tmp_path), "build/passes")
            assert _TIME.sub("", output).splitlines() == [
                _TIME.sub("", line) for line in expected
            ], command
            count += 1
    assert count > 8
