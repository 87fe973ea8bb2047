"""Writes the whole synthetic study: reference sources, extracts, and the truth about them."""

import gc
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from socare_spark.twin.csv_writer.extract import Extract, Met
from socare_spark.twin.csv_writer.extract_writer import ExtractWriter, sha256_of
from socare_spark.twin.csv_writer.refused_files import write_refused
from socare_spark.twin.datasets import extracts
from socare_spark.twin.draws import Draws
from socare_spark.twin.housing.crosswalk import crosswalk
from socare_spark.twin.housing.tenancies import tenants
from socare_spark.twin.marker import MARKER, is_marked, write_marker
from socare_spark.twin.population.city import City
from socare_spark.twin.population.reference_sources import write_reference
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.truth.services_truth import services_truth
from socare_spark.twin.vocabulary import FOLDER

Progress = Callable[[str], None]
DEFECTS = ("default", "none", "files")
TRUTH = "truth.json"


def write_twin(
    out: Path,
    scale: float = 0.02,
    seed: int = 1,
    defects: str = "default",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Writes the landing folder of the synthetic study and returns the content of its truth.json.

    A folder that already holds exactly this twin is left alone. The same arguments give the same
    bytes.

    Args:
        out: The landing folder; extracts of an earlier twin in it are replaced.
        scale: 1 is the study's own size; 0.001 to 50.
        seed: Varies everything that is drawn; published counts hold for each.
        defects: `default`, `none`, or `files` to add files that must be refused whole.
        progress: Called with a short line before each step.
    """
    say = progress or (lambda _line: None)
    settings = {"scale": scale, "seed": seed, "defects": defects, "recipe": recipe()}
    present = _already_there(out, settings)
    if present is not None:
        say("the twin is there already")
        return present
    _begin(out)
    draws = Draws(seed)
    city = City(draws)
    say("reference sources")
    reference = write_reference(city, out / "reference")
    written = {path for path in (out / "reference").rglob("*") if path.is_file()}
    truth: dict[str, Any] = {**settings, "files": {}, "marginals": {}, "reference": reference}
    _write_extracts(out, Universe(city, draws, scale), draws, truth, say)
    written.update(out / name for name in truth["files"])
    _remove_others(out, written)
    truth["manifest"] = {str(p.relative_to(out)): sha256_of(p) for p in sorted(written)}
    text = json.dumps(truth, indent=1, ensure_ascii=False, sort_keys=False)
    (out / TRUTH).write_text(text + "\n", encoding="utf-8")
    write_marker(out, _digests(out, truth), TRUTH)
    return truth


def _begin(out: Path) -> None:
    """Makes the folder, and removes the files that declare an earlier twin in it complete."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (MARKER, TRUTH):
        (out / name).unlink(missing_ok=True)


def _write_extracts(
    out: Path, universe: Universe, draws: Draws, truth: dict[str, Any], say: Progress
) -> None:
    """Writes all extracts, and puts into `truth` the files and the marginals of each."""
    scale, awkward = truth["scale"], truth["defects"] != "none"
    pairs = crosswalk(universe, draws, tenants(universe, draws, scale))
    met: list[Met] = []
    for extract in extracts(universe, draws, scale, pairs, awkward=awkward):
        met += _write_extract(out, extract, draws, truth, say)
        del extract
        gc.collect()
    truth["marginals"]["services"] = services_truth(universe, met, pairs)


def _write_extract(
    out: Path, extract: Extract, draws: Draws, truth: dict[str, Any], say: Progress
) -> list[Met]:
    """Writes the files of one dataset; returns the people whom its service met."""
    writer = ExtractWriter(extract, out, draws, planted=truth["defects"] != "none")
    for period in extract.periods:
        say(f"{extract.dataset} {period}")
        name = f"{extract.dataset}/{extract.name(period)}"
        truth["files"][name] = writer.write(period).record()
    if truth["defects"] == "files" and extract.dataset == "agreements_closed":
        truth["files"].update(write_refused(extract, out))
    marginals = extract.marginals()
    if writer.variants:
        variants = [[*pair, n] for pair, n in sorted(writer.variants.items())]
        marginals["element_variants"] = variants
    truth["marginals"][extract.dataset] = marginals
    return [extract.met(writer.nameless)] if extract.met else []


def _digests(out: Path, truth: dict[str, Any]) -> dict[str, str]:
    """Path -> digest of each file that the marker names."""
    return {**truth["manifest"], TRUTH: sha256_of(out / TRUTH)}


def recipe() -> str:
    """A hash of the twin's own code, facts and vocabulary, by which an outdated twin is found."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    own = [*here.rglob("*.py"), *here.rglob("*.csv")]
    sources = {path.relative_to(here): path for path in own}
    sources |= {path.relative_to(FOLDER): path for path in FOLDER.glob("*.yaml")}
    for name, path in sorted(sources.items()):
        digest.update(name.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _already_there(out: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    path = out / TRUTH
    if not path.exists():
        return None
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    same = all(truth.get(key) == value for key, value in settings.items())
    files = truth.get("manifest", {})
    whole = all((out / f).exists() and sha256_of(out / f) == sha for f, sha in files.items())
    return truth if same and whole and is_marked(out, _digests(out, truth), TRUTH) else None


def _remove_others(out: Path, written: set[Path]) -> None:
    """Removes the files of an earlier twin from the dataset folders that this twin writes."""
    for folder in {path.parent for path in written}:
        for path in folder.iterdir():
            if path.is_file() and path not in written:
                path.unlink()
