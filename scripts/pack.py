"""Writes the files with which a job runs on a cluster. `scripts/pack` calls it.

Prints each file with its size, and the commands to submit a job.
"""

import argparse
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.zip_package import zip_package

ENVIRONMENT = "environment.tar.gz"
# Parts of the environment that the nodes have, or that no job needs.
_LEFT_OUT = ("*/pyspark/jars/*", "*/pyspark/examples/*", "*/pip/*", "*/__pycache__/*", "made_from")
_COPIES = (
    "conf/spark/yarn.conf",
    "conf/spark/kubernetes.conf",
    "conf/kubernetes/pod-template.yaml",
    "conf/kubernetes/access.yaml",
    "conf/kubernetes/Dockerfile",
    "conf/kubernetes/entrypoint.sh",
    "constraints.txt",
)
# A key or a result beside the configuration must not leave the machine.
_NOT_CONFIGURATION = (".key", ".jceks")


def pack(root: Path, out: Path, conf: Path, jars: Iterable[Path]) -> None:
    """Writes all files except the Python environment.

    Args:
        root: The checkout.
        out: The folder to write.
        conf: The folder of the configuration.
        jars: The jars to send.
    """
    shutil.copyfile(zip_package(root), out / "socare_spark.zip")
    _zip_configuration(conf, out / "conf.zip")
    for name, files in (("jobs", sorted((root / "jobs").glob("[a-z]*.py"))), ("jars", jars)):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir()
        for file in files:
            shutil.copyfile(file, out / name / file.name)
    for copied in _COPIES:
        shutil.copy(root / copied, out / Path(copied).name)


def _zip_configuration(conf: Path, target: Path) -> None:
    """Zips the files of a configuration, without hidden files, keys and settings of Spark."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(conf.rglob("*")):
            name = path.relative_to(conf)
            hidden = any(part.startswith(".") for part in name.parts)
            other = name.parts[0] in ("spark", "kubernetes") or name.name.endswith(
                _NOT_CONFIGURATION
            )
            if path.is_file() and not hidden and not other:
                archive.write(path, name)


def pack_environment(environment: Path, out: Path, prefix: str) -> None:
    """Packs a virtual environment without what the nodes have.

    Args:
        environment: The virtual environment.
        out: The folder to write.
        prefix: Folder of Python on the nodes; that of this machine if empty.
    """
    import venv_pack  # noqa: PLC0415 - only this function needs it

    packed = venv_pack.Env(str(environment))
    for pattern in _LEFT_OUT:
        packed = packed.exclude(pattern)
    with _python_below(environment, prefix):
        packed.pack(output=str(out / ENVIRONMENT), force=True)


@contextmanager
def _python_below(environment: Path, prefix: str) -> Iterator[None]:
    """Lets an environment link to Python below another folder for the block.

    The option of venv-pack for it breaks links to programs with a version in their name.
    """
    configuration, programs = environment / "pyvenv.cfg", environment / "bin"
    text = configuration.read_text("utf-8")
    links = {path: path.readlink() for path in programs.glob("python*") if path.is_symlink()}
    absolute = {path: target for path, target in links.items() if target.is_absolute()}
    if not prefix:
        absolute = {}
    try:
        for path, target in absolute.items():
            _link(path, Path(prefix, "bin", target.name))
            text_there = text.replace(str(target.parent), str(Path(prefix, "bin")))
            configuration.write_text(text_there, "utf-8")
        yield
    finally:
        configuration.write_text(text, "utf-8")
        for path, target in absolute.items():
            _link(path, target)


def _link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def listing(out: Path) -> list[str]:
    """A line with size and name for each file, and the total."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    lines = [f"{_size(s)}  {p.relative_to(out)}" for s, p in zip(sizes, files, strict=True)]
    return [*lines, f"{_size(sum(sizes))}  in {len(files)} files"]


def _size(size: int) -> str:
    return f"{size / 1e6:10.2f} MB"


def commands(out: Path) -> list[str]:
    """The commands that submit a study with the files of a folder."""
    jars = ",".join(str(path) for path in sorted((out / "jars").glob("*.jar")))
    archives = f"{out}/conf.zip#conf"
    if (out / ENVIRONMENT).is_file():
        archives += f",{out}/{ENVIRONMENT}#environment"
    template = f"{out}/pod-template.yaml"
    places = "--lake URI --landing URI"
    return [
        "YARN (HADOOP_CONF_DIR must be set):",
        f"spark-submit --properties-file {out}/yarn.conf --jars {jars} "
        f"--py-files {out}/socare_spark.zip --archives '{archives}' {out}/jobs/study.py {places}",
        "Kubernetes, after docker build and docker push:",
        f"spark-submit --properties-file {out}/kubernetes.conf --master k8s://https://HOST:PORT "
        "--conf spark.kubernetes.container.image=REGISTRY/socare_spark:0.1.0 "
        f"--conf spark.kubernetes.driver.podTemplateFile={template} "
        f"--conf spark.kubernetes.executor.podTemplateFile={template} "
        f"local:///opt/socare/jobs/study.py {places}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the folder and prints its files and the commands."""
    options = argparse.ArgumentParser()
    for name in ("root", "out", "conf"):
        options.add_argument(f"--{name}", type=Path, required=True)
    options.add_argument("--environment", default="")
    options.add_argument("--python-prefix", default="")
    options.add_argument("--jars", type=Path, nargs="+", required=True)
    given = options.parse_args(arguments)
    pack(given.root, given.out, given.conf, given.jars)
    (given.out / ENVIRONMENT).unlink(missing_ok=True)
    if given.environment:
        pack_environment(Path(given.environment), given.out, given.python_prefix)
    print(*listing(given.out), sep="\n")
    print(*(f"\n{line}" for line in commands(given.out)), sep="\n")


if __name__ == "__main__":
    main()
