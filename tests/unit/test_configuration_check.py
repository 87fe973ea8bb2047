"""All faults of a configuration are found in one go, before a session starts."""

import shutil
from pathlib import Path

import pytest

from socare_spark import cli
from socare_spark.analysis import Job
from socare_spark.configuration.check import check_configuration
from socare_spark.errors import ExitCode
from socare_spark.spelling import is_misspelling

CONF = Path(__file__).parents[2] / "conf"
TEAM = 'description: "Assessing team."\n      socare: {'


def configuration_faults(conf):
    return check_configuration(conf).faults


@pytest.fixture
def conf(tmp_path):
    shutil.copytree(CONF, tmp_path / "conf")
    return tmp_path / "conf"


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("path", [CONF, *(CONF / "examples").glob("*/")], ids=lambda p: p.name)
def test_shipped_configuration_has_no_fault(path):
    assert configuration_faults(path) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("datasets/requests.yaml", "pseudonymise: request", "pseudonymise: requests",
         ("datasets/requests.yaml", "scheme requests", "nearest are request")),
        ("datasets/requests.yaml", "name: requests", "name: request", ("name must be 'requests'",)),
        ("datasets/requests.yaml", "type: date", "type: day", ("schema.fields.2.type",)),
        ("project.yaml", "strip_leading_zeros: true", "strip_zeros: true",
         ("project.yaml: schemes.carefirst.strip_zeros: the key is not known",)),
        ("places.yaml", "bounds: city", "bounds: town", ("places.yaml", "bounds is 'town'")),
        ("places.yaml", '"EPSG:29902"', '"EPSG:1"',
         ("places.yaml: Postcode source onspd: EPSG:1 is not a coordinate system",)),
        ("places.yaml", "boundaries.gpkg, table: city", "boundaries, table: city",
         ("Layer city: cannot infer the format",)),
        ("maintenance.yaml", "runs_days: 730", "runs_days: long", ("maintenance.yaml: runs_days",)),
        ("vocabulary/teams.yaml", "category: Adults (Location)", "kind: Adults",
         ("teams.yaml: 0.category: the key is missing", "0.kind: the key is not known")),
        ("flows/adult_assessment.yaml", "codes: [SP]", "codes: [OFF]",
         ("stages.2.records.codes.0: must be a text: write it in quotes",)),
        ("flows/adult_assessment.yaml", "title: Assessment of adults", "flow: other",
         ("adult_assessment.yaml:", "repeats the key flow")),
        ("analyses/use.yaml", "dataset: agreements_costed", "dataset: agreements_cost",
         ("use.yaml: dataset names the dataset agreements_cost", "to agreements_costed")),
        ("analyses/provision.yaml", "agreements_adult: agreements", "agreement_adult: agreements",
         ("provision.yaml: totals.agreement_adult names the dataset",)),
        ("analyses/use.yaml", "layer: district", "layer: districts",
         ("use.yaml: layer names the layer districts", "nearest are district")),
        ("analyses/cross_service.yaml", "layers: [ward, district]", "layers: [ward, lsoa]",
         ("cross_service.yaml: layers names the layer lsoa",)),
        ("flows/adult_assessment.yaml", "layer: ward", "layer: wards",
         ("adult_assessment.yaml: single_stage.layer names the layer wards",)),
        ("analyses/density.yaml", "age_bands: agreements", "age_bands: agreement",
         ("age_bands.yaml has no set of age bands 'agreement'",)),
        ("analyses/density.yaml", 'age_band: "0-11"', 'age_band: "0-12"',
         ("density.yaml names the age band '0-12'; its set has 0-11, 11-25",)),
        ("analyses/density.yaml", 'picture_bands: ["0-11", all]', 'picture_bands: ["0-10"]',
         ("density.yaml names the age band '0-10'",)),
        ("analyses/distribution.yaml", 'age_band: "0-11"', "age_band: all ages",
         ("distribution.yaml names the age band 'all ages'",)),
        ("analyses/elements.yaml", "characteristics: [ethnicity,", "characteristics: [origin,",
         ("elements.yaml: characteristics.0 names the column origin of agreements_costed",)),
        ("datasets/adult_assessments.yaml", TEAM + "keep: as_is}", TEAM + "drop: true}",
         ("adult_assessment.yaml: outcomes.team names the column service_team", "does not keep")),
        ("flows/adult_assessment.yaml", "time: agreement_start", "time: element",
         ("adult_assessment.yaml: stages.3.records.time names the column element, which is of the "
          "type string in conf/datasets/agreements_adult.yaml; it must be a date or a datetime",)),
        ("flows/adult_assessment.yaml", "agreements_adult, case: person",
         "agreements_adult, case: adeid",
         ("adult_assessment.yaml: the flow takes its cases from columns of several types or sch",
          "adeid of agreements_adult is pseudonymised under agreement")),
        ("vocabulary/age_bands.yaml", "from: 11, to: 25", "from: 11, to: 26",
         ("edges 26", "agreements_adult")),
        ("analyses/use.yaml", "services: [DAYC]", "services: [DAYS]", ("the service DAYS",)),
        ("analyses/cross_service.yaml", "date: request_date", "date: request_day",
         ("column request_day",)),
    ],
)  # fmt: skip
def test_fault_is_found_with_file_and_key(conf, file, old, new, says):
    edit(conf / file, old, new)
    faults = configuration_faults(conf)
    assert faults
    assert all(any(text in fault for fault in faults) for text in says), faults


def test_datasets_that_a_council_does_not_have_are_notes(conf):
    for path in (conf / "datasets").iterdir():
        if path.stem not in ("requests", "agreements_costed"):
            path.unlink()
    findings = check_configuration(conf)
    assert findings.faults == []
    assert {note.partition(" names")[0].rpartition("/")[2] for note in findings.notes} == {
        "provision.yaml", "density.yaml", "distribution.yaml", "adult_assessment.yaml",
        "combinations.yaml", "cross_service.yaml",
    }  # fmt: skip
    (services,) = (note for note in findings.notes if "cross_service.yaml" in note)
    assert "adult_assessments, agreements_adult, children_assessments, crosswalk_ten" in services


@pytest.mark.parametrize(
    ("name", "known", "is_wrong"),
    [
        ("agreements_closd", "agreements_closed", True),
        ("agreements_clsoed", "agreements_closed", True),
        ("agreementz_closed", "agreements_closed", True),
        ("request", "requests", True),
        ("agreements_cost", "agreements_costed", True),
        ("agreements_closed", "agreements_costed", False),
        ("agreements", "agreements", False),
        ("req", "requests", False),
        ("visits", "people", False),
        ("ab", "ba", True),
    ],
)
def test_misspellings_differ_in_one_letter_or_in_the_end(name, known, is_wrong):
    assert is_misspelling(name, known) is is_wrong
    assert is_misspelling(known, name) is is_wrong


def test_a_missing_column_that_no_file_names_is_a_note(conf):
    path, old = (
        conf / "datasets" / "agreements_costed.yaml",
        "one agreement element.\n      socare: {",
    )
    edit(path, f"{old}keep: as_is}}", f"{old}keep: as_is, as: price}}")
    findings = check_configuration(conf)
    assert findings.faults == []
    assert any(
        note.startswith("working/element_cost_by_year will not be made: it needs the column "
                        "weekly_cost")
        for note in findings.notes
    )  # fmt: skip
    assert any("counts as empty in working/users_by_quarter" in note for note in findings.notes)


def test_an_element_that_the_vocabulary_does_not_have_is_a_note(conf):
    edit(conf / "analyses" / "use.yaml", "elements: [CHIRDRT,", "elements: [CHIRDT,")
    findings = check_configuration(conf)
    assert findings.faults == []
    assert (
        findings.notes
        == [
            f"{conf / 'analyses/use.yaml'}: quarters.elements.0 names the element CHIRDT, which "
            "vocabulary/elements.yaml does not have (the nearest are CHIRDRT, CHICDRT, CHERDRT)."
        ]
        or "CHIRDT" in findings.notes[0]
    )


def test_the_place_of_a_contract_names_a_layer_and_a_known_system(conf):
    path = conf / "datasets" / "tenancies.yaml"
    path.write_text(path.read_text() + "  place: {area: TENURE, layer: wards}\n")
    assert "tenancies.yaml: socare.place.layer names the layer wards" in "".join(
        configuration_faults(conf)
    )
    edit(path, "{area: TENURE, layer: wards}", '{x: TENURE, y: TENANCY_ID, crs: "EPSG:1"}')
    assert "socare.place.crs: EPSG:1 is not a coordinate system" in "".join(
        configuration_faults(conf)
    )


def test_faults_of_several_files_are_listed_together(conf):
    edit(conf / "maintenance.yaml", "small_files: 4", "small_files: 1")
    edit(conf / "datasets" / "requests.yaml", "encoding: utf-8", "encoding: utf-9")
    edit(conf / "datasets" / "tenancies.yaml", "pseudonymise: tenancy", "pseudonymise: lease")
    said = "\n".join(configuration_faults(conf))
    assert "small_files" in said
    assert "utf-9" not in said
    assert "encoding: allowed are" in said
    assert "scheme lease" in said


def test_a_file_that_nothing_reads_is_a_fault(conf):
    for name in ("analyses/densty.yaml", "datasets/visits.yml", "other/README.md", ".editor/x"):
        (conf / name).parent.mkdir(exist_ok=True)
        (conf / name).write_text("a: 1\n")
    names = {fault.partition(":")[0] for fault in configuration_faults(conf)}
    assert names == {str(conf / "analyses/densty.yaml"), str(conf / "datasets/visits.yml")}


def test_a_council_without_an_analysis_needs_no_file_of_it(conf):
    shutil.rmtree(conf / "flows")
    (conf / "analyses" / "forecast.yaml").unlink()
    assert configuration_faults(conf) == []


def test_a_dry_run_of_any_job_lists_all_faults_without_a_session(conf, tmp_path, capsys):
    edit(conf / "maintenance.yaml", "small_files: 4", "small_files: 1")
    edit(conf / "analyses/use.yaml", "layer: district", "layer: districts")
    job = Job("works", "Works.", lambda _: None, lambda _: [], ())
    arguments = ["--lake", str(tmp_path / "lake"), "--conf", str(conf), "--dry-run"]
    assert cli.main(job, arguments) == ExitCode.CONFIGURATION
    said = " ".join(capsys.readouterr().err.split())
    assert "small_files" in said
    assert "districts" in said
    assert not (tmp_path / "lake").exists()
