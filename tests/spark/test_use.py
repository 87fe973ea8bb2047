"""The whole `use` job on a small lake, with and without what it can do without."""

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import shapely
import yaml
from deltalake import write_deltalake
from rich.console import Console

from socare_spark.analyses.use.job import ANALYSIS
from socare_spark.analyses.use.settings import SETTINGS
from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError, MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.places.reference_tables import AREAS, POPULATION
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).parents[2] / "conf"
AGREEMENTS = (
    "element string, person bigint, agreement_start date, agreement_end date, "
    "weekly_cost decimal(12,2), postcode string, extract date"
)
EXTRACT = date(2015, 12, 31)
PLACES = ["B1 1AA", "B2 1AA", "WS1 1AA", None]


def agreements():
    """Six years of some elements; one agreement is open, one code is written as another."""
    rows = []
    codes = ["CHIRDRT", "OAETRANS", "OAIDAYCR", "OAEDAYCR", "OAIHSENB", "LDIHSENB"]
    for n in range(240):
        start = date(2010, 1, 1) + timedelta(n * 9)
        end = start + timedelta(20 + n % 60)
        rows.append((codes[n % 6], n % 50, start, min(end, EXTRACT), 70 + n % 7, PLACES[n % 4]))
    rows.append(("CHIRDRT", 90, date(2015, 12, 1), None, 70, "B1 1AA"))
    rows.append(("chirdrx ", 91, date(2015, 11, 1), date(2015, 11, 2), 70, "B1 1AA"))
    return [(*row[:4], Decimal(row[4]), row[5], EXTRACT) for row in rows]


@pytest.fixture
def council(spark, tmp_path):
    """Makes the context of a new run; the configuration is a copy that a test may change."""
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    words = conf / "vocabulary" / "elements.yaml"
    text = words.read_text("utf-8")
    assert "mended:\n" in text
    words.write_text(text.replace("mended:\n", "mended:\n  CHIRDRX: CHIRDRT\n", 1), "utf-8")

    def new(as_of=None, **changes):
        settings = yaml.safe_load((conf / SETTINGS).read_text("utf-8"))
        settings["quarters"]["elements"] = ["CHIRDRT"]
        for section, values in changes.items():
            settings[section] = settings[section] | values if isinstance(values, dict) else values
        (conf / SETTINGS).write_text(yaml.safe_dump(settings), "utf-8")
        run = Run("use", LocalStorage(tmp_path), {})
        run.configuration = yaml.safe_dump(settings)
        quiet = Progress(Console(quiet=True))
        return Context(spark, Lake(tmp_path / "lake"), conf, None, as_of, run, quiet)

    return new


def lands(context):
    frame = context.spark.createDataFrame(agreements(), AGREEMENTS)
    path = context.lake.storage.path("restricted/agreements_costed")
    write_deltalake(str(path), frame.toArrow())


def places(context):
    squares = [shapely.to_wkb(shapely.box(x, 0, x + 1000, 1000)) for x in (0, 1000)]
    areas = [("district", f"B{n}", f"B{n}", 1.0, bytearray(w)) for n, w in enumerate(squares, 1)]
    people = [
        ("district", code, year, None, 1000 * year)
        for code in ("B1", "B2")
        for year in (2010, 2015)
    ]
    spark = context.spark
    context.lake.replace_arrow(AREAS, spark.createDataFrame(areas, AREAS.schema).toArrow(), {})
    population = spark.createDataFrame(people, POPULATION.schema).toArrow()
    context.lake.replace_arrow(POPULATION, population, {})


def rows(context, table, *columns, where="true"):
    frame = context.lake.read(context.spark, f"working/{table}").where(where)
    return sorted((tuple(r) for r in frame.select(*columns).collect()), key=str)


def test_a_council_with_places(council):
    context = council()
    lands(context)
    places(context)
    ANALYSIS.job().run(context)
    assert set(context.run.outputs) == {table.path for table in ANALYSIS.writes}
    assert [Path(p).name for p in context.run.pictures] == [
        "use_users_by_quarter_chirdrt.png",
        "use_cost_by_year.png",
        "use_threshold.png",
        "use_threshold_per_1000.png",
        "use_provision_split.png",
        "use_provision_cost.png",
    ]
    # The open agreement runs to the newest extract; the mended one counts.
    ((people, records),) = rows(
        context, "users_by_quarter", "people", "records", where="quarter = '2015Q4'"
    )
    chirdrt = [r for r in agreements() if r[0].strip().upper()[:6] == "CHIRDR"]
    late = [r for r in chirdrt if (r[3] or EXTRACT) >= date(2015, 10, 1)]
    assert (people, records) == (len({r[1] for r in late}), len(late))
    assert {r[0] for r in rows(context, "provision_split", "district")} == {"B1", "B2", None}
    # People of the newest year; everybody has none.
    rates = rows(
        context, "threshold_use", "district", "people_over", "per_1000",
        where="element IS NULL AND year IS NULL",
    )  # fmt: skip
    assert [(d, rate) for d, _, rate in rates] == [
        ("B1", rates[0][1] * 1000 / 2_015_000), ("B2", rates[1][1] * 1000 / 2_015_000), (None, None)
    ]  # fmt: skip
    assert rates[2][1] > rates[0][1] + rates[1][1]  # wherever they live
    viable = rows(context, "savings_viability", "viable", where="element_group = 'transport'")
    assert len(viable) == 4 and None not in {v for (v,) in viable}
    assert context.run.warnings == [
        f"{SETTINGS} names the element PDIHSENB, which no record has; the nearest are LDIHSENB, "
        "OAIHSENB."
    ]
    again = council()
    ANALYSIS.job().run(again)
    assert {table["version"] for table in again.run.outputs.values()} == {0}


def test_a_council_without_places_until_a_day(council):
    """Districts are those that postcodes name; what the day does not reach has no row."""
    context = council(as_of=date(2012, 5, 15), quarters={"pairs": "all"})
    lands(context)
    ANALYSIS.job().run(context)
    assert set(context.run.outputs) == {table.path for table in ANALYSIS.writes}
    assert "use_threshold_per_1000.png" not in str(context.run.pictures)
    split = {r[0] for r in rows(context, "provision_split", "district")}
    assert split == {"B1", "B2", "WS1", None}
    assert rows(context, "users_by_quarter", "quarter")[-1] == ("2012Q2",)
    assert len(rows(context, "users_between_quarters", "quarter_a")) == 10 * 9 / 2
    years = {r[0] for r in rows(context, "element_cost_by_year", "year")}
    assert years == {2010, 2011, 2012}
    assert {r[0] for r in rows(context, "threshold_use", "per_1000")} == {None}
    # Nine whole quarters are too few to forecast from.
    assert {r[0] for r in rows(context, "savings_viability", "viable")} == {None}
    assert (
        "working/savings_viability has no trend of transport: it has 9 periods, and a forecast "
        "needs 20."
    ) in context.run.warnings


def test_missing_inputs_and_unknown_codes_are_refused(council):
    with pytest.raises(MissingInputError, match="restricted/agreements_costed"):
        ANALYSIS.job().run(council())
    context = council(split={"services": ["DAYS"]})
    lands(context)
    with pytest.raises(ConfigurationError, match=r"use\.yaml names the service DAYS.*DAYC"):
        ANALYSIS.job().run(context)
    context = council(split={"services": ["DAYC"], "client_groups": ["OA", "XX"]})
    with pytest.raises(ConfigurationError, match="names the client group XX"):
        ANALYSIS.job().run(context)
    bare = context.spark.createDataFrame([(1, EXTRACT)], "person bigint, extract date")
    write_deltalake(str(context.lake.storage.path("restricted/bare")), bare.toArrow())
    with pytest.raises(
        MissingInputError, match=r"column element \(string\) of restricted/bare, .*bare\."
    ):
        ANALYSIS.job().run(council(dataset="bare", split={"client_groups": ["OA"]}))
