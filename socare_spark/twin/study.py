"""Writes the whole synthetic study: reference sources, extracts, and the truth about them."""

import gc
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from socare_spark.twin.agreements.agreement_extract import agreement_extract
from socare_spark.twin.agreements.costed_agreements import costed_agreements
from socare_spark.twin.agreements.drawn_agreements import closed_agreements
from socare_spark.twin.assessments.adult_extract import adult_extract
from socare_spark.twin.assessments.adult_flow import adult_agreements, adult_assessments, adult_flow
from socare_spark.twin.assessments.childrens_assessments import childrens_assessments
from socare_spark.twin.assessments.childrens_extract import children_extract
from socare_spark.twin.csv_writer.extract import Extract, Met
from socare_spark.twin.csv_writer.extract_writer import ExtractWriter, sha256_of
from socare_spark.twin.csv_writer.refused_files import write_refused
from socare_spark.twin.draws import Draws, Ints
from socare_spark.twin.housing.tenancies import (
    Crosswalk,
    crosswalk,
    crosswalk_extract,
    tenancies,
    tenancies_extract,
    tenants,
)  # fmt: skip
from socare_spark.twin.marker import MARKER, is_marked, write_marker
from socare_spark.twin.population.city import City
from socare_spark.twin.population.reference_sources import write_reference
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.requests.crm_requests import requests, requests_extract
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
        out: the landing folder; extracts of an earlier twin in it are replaced.
        scale: 1 is the study's own size; 0.001 to 20.
        seed: varies everything that is drawn; published counts hold for each.
        defects: `default`, `none`, or `files` for files besides that must be refused whole.
        progress: called with a short line before each step.
    """
    say = progress or (lambda _line: None)
    settings = {"scale": scale, "seed": seed, "defects": defects, "recipe": recipe()}
    present = _already_there(out, settings)
    if present is not None:
        say("the twin is there already")
        return present
    out.mkdir(parents=True, exist_ok=True)
    for name in (MARKER, TRUTH):
        (out / name).unlink(missing_ok=True)
    draws = Draws(seed)
    city = City(draws)
    say("reference sources")
    truth: dict[str, Any] = {
        **settings,
        "files": {},
        "marginals": {},
        "reference": write_reference(city, out / "reference"),
    }
    written = {path for path in (out / "reference").rglob("*") if path.is_file()}
    universe = Universe(city, draws, scale)
    pairs = crosswalk(universe, draws, tenants(universe, draws, scale))
    met: list[Met] = []
    for extract in _extracts(universe, draws, scale, defects, pairs):
        writer = ExtractWriter(extract, out, draws, planted=defects != "none")
        for period in extract.periods:
            say(f"{extract.dataset} {period}")
            name = f"{extract.dataset}/{extract.name(period)}"
            truth["files"][name] = writer.write(period).record()
            written.add(out / name)
        if defects == "files" and extract.dataset == "agreements_closed":
            refused = write_refused(extract, out)
            truth["files"].update(refused)
            written.update(out / name for name in refused)
        truth["marginals"][extract.dataset] = extract.marginals()
        if writer.variants:
            variants = [[*pair, n] for pair, n in sorted(writer.variants.items())]
            truth["marginals"][extract.dataset]["element_variants"] = variants
        if extract.met is not None:
            met.append(extract.met(writer.nameless))
        del writer, extract
        gc.collect()
    truth["marginals"]["services"] = services_truth(universe, met, pairs)
    _remove_others(out, written)
    truth["manifest"] = {str(p.relative_to(out)): sha256_of(p) for p in sorted(written)}
    text = json.dumps(truth, indent=1, ensure_ascii=False, sort_keys=False)
    (out / TRUTH).write_text(text + "\n", encoding="utf-8")
    write_marker(out, _digests(out, truth), TRUTH)
    return truth


def _digests(out: Path, truth: dict[str, Any]) -> dict[str, str]:
    """Path -> digest of each file that the marker names."""
    return {**truth["manifest"], TRUTH: sha256_of(out / TRUTH)}


def _extracts(
    universe: Universe,
    draws: Draws,
    scale: float,
    defects: str,
    pairs: Crosswalk,
) -> Iterator[Extract]:
    """Makes one dataset after the other, so that only one is held at a time."""
    yield agreement_extract(universe, draws, closed_agreements(universe, draws, scale))
    yield agreement_extract(universe, draws, costed_agreements(universe, draws, scale))
    flow = adult_flow(universe, draws, scale)
    agreements = adult_agreements(universe, draws, scale, flow)
    extract = agreement_extract(universe, draws, agreements)
    yield replace(extract, met=_cared_for(universe, agreements.person, agreements.start))
    assessments = adult_assessments(universe, draws, scale, flow)
    extract = adult_extract(universe, draws, assessments, agreements)
    assessed = flow.pool[assessments.place]
    yield replace(extract, met=_cared_for(universe, assessed, assessments.start))
    del flow, agreements, assessments, assessed, extract
    children = childrens_assessments(universe, draws, scale)
    extract = children_extract(universe, draws, children)
    yield replace(extract, met=_cared_for(universe, children.person, children.start))
    del children, extract
    yield requests_extract(universe, draws, requests(draws, scale, awkward=defects != "none"))
    yield tenancies_extract(universe, draws, tenancies(draws, pairs.tenants))
    yield crosswalk_extract(universe, pairs)


def _cared_for(universe: Universe, person: np.ndarray, start: np.ndarray) -> Callable[[Ints], Met]:
    """Returns whom social care met: at home on the day, and never without a name."""

    def met(_nameless: Ints) -> Met:
        who, on = person.astype(np.int64), start.astype(np.int64)
        return Met("social_care", who, universe.postcode(who, on), on)

    return met


def recipe() -> str:
    """Returns a hash of the twin's own code, facts and vocabulary: another recipe makes another
    twin.
    """
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
