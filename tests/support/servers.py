"""Servers of S3 and HDFS on loopback, which `scripts/servers build` built."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from processes import ROOT

BUILT = ROOT / "build" / "servers"
KEY, SECRET = "socare-tests", "a-secret-that-no-output-contains"
_START_SECONDS = 90


def free_port():
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until(is_done, process, name):
    """Waits until a server answers.

    Raises:
        RuntimeError: it ended or does not answer.
    """
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        try:
            if is_done():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{name} does not answer")


class Gateway:
    """A server of S3 (VersityGW) whose buckets are folders of this machine.

    Attributes:
        folder: The folder of the buckets.
        port: Its port.
    """

    def __init__(self, folder):
        self.folder, self.port = Path(folder) / "buckets", free_port()
        self.folder.mkdir()
        self._log, self._output = Path(folder) / "access.log", Path(folder) / "output.log"
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts the server, or starts it again at the same port."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    BUILT / "versitygw",
                    "--port",
                    f"127.0.0.1:{self.port}",
                    "--access-log",
                    self._log,
                    "posix",
                    self.folder,
                ],
                env=os.environ | {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET},
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, self._process, f"versitygw ({self._output})")

    def _answers(self):
        with closing(socket.create_connection(("127.0.0.1", self.port), 1)):
            return True

    def stop(self, how=signal.SIGTERM):
        """Stops the server."""
        self._process.send_signal(how)
        self._process.wait(30)

    def bucket(self, name):
        """Makes a bucket; returns its name."""
        (self.folder / name).mkdir()
        return name

    def settings(self, key=KEY, secret=SECRET):
        """Hadoop's settings for this server."""
        return {
            "fs.s3a.endpoint": f"http://127.0.0.1:{self.port}",
            "fs.s3a.endpoint.region": "us-east-1",
            "fs.s3a.path.style.access": "true",
            "fs.s3a.access.key": key,
            "fs.s3a.secret.key": secret,
        }

    def requests(self):
        """The number of requests since the first start."""
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0


_SITE = """<?xml version="1.0"?>
<configuration>
{properties}
</configuration>
"""


class Hdfs:
    """A NameNode and a DataNode.

    Attributes:
        uri: The root, as hdfs://HOST:PORT.
    """

    def __init__(self, folder):
        self._folder = Path(folder)
        self._port, self._web = free_port(), free_port()
        self.uri = f"hdfs://127.0.0.1:{self._port}"
        self._processes = []
        self._write_configuration()

    def _write_configuration(self):
        conf = self._folder / "conf"
        # The servers look for these folders on their class path.
        for name in ("hdfs", "datanode"):
            (conf / "webapps" / name).mkdir(parents=True)
        site = {
            "dfs.replication": "1",
            "dfs.namenode.name.dir": f"file://{self._folder}/name",
            "dfs.datanode.data.dir": f"file://{self._folder}/data",
            "dfs.namenode.http-address": f"127.0.0.1:{self._web}",
            "dfs.namenode.rpc-address": f"127.0.0.1:{self._port}",
            "dfs.datanode.address": "127.0.0.1:0",
            "dfs.datanode.http.address": "127.0.0.1:0",
            "dfs.datanode.ipc.address": "127.0.0.1:0",
            "dfs.namenode.safemode.extension": "0",
        }
        for name, values in (("core", {"fs.defaultFS": self.uri}), ("hdfs", site)):
            properties = "\n".join(
                f"<property><name>{key}</name><value>{value}</value></property>"
                for key, value in values.items()
            )
            (conf / f"{name}-site.xml").write_text(_SITE.format(properties=properties))

    def __enter__(self):
        server = "org.apache.hadoop.hdfs.server"
        formatting = self._java(f"{server}.namenode.NameNode", "-format", "-nonInteractive")
        if formatting.wait(60) != 0:
            raise RuntimeError(f"the NameNode cannot be formatted ({self._folder}/output.log)")
        for name in ("namenode.NameNode", "datanode.DataNode"):
            self._processes.append(self._java(f"{server}.{name}"))
        wait_until(self._answers, self._processes[0], f"HDFS ({self._folder}/output.log)")
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait(30)

    def _java(self, name, *arguments):
        with (self._folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                [
                    Path(os.environ["JAVA_HOME"]) / "bin" / "java",
                    "-Xmx256m",
                    "-XX:TieredStopAtLevel=1",
                    "--add-opens=java.base/java.lang=ALL-UNNAMED",
                    "-cp",
                    f"{self._folder}/conf:{BUILT}/hdfs/jars/*",
                    name,
                    *arguments,
                ],
                cwd=self._folder,
                stdout=output,
                stderr=output,
            )

    def _answers(self):
        query = "qry=Hadoop:service=NameNode,name=FSNamesystemState"
        with urllib.request.urlopen(f"http://127.0.0.1:{self._web}/jmx?{query}", timeout=5) as page:
            beans = json.load(page)["beans"]
        return (
            bool(beans)
            and beans[0]["NumLiveDataNodes"] == 1
            and beans[0]["FSState"] == "Operational"
        )


def remove_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)
