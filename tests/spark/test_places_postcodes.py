"""Reference postcodes from both layouts, and population from CSV files of several shapes."""

import gzip

import pytest

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.population import read_population
from socare_spark.places.postcodes import read_postcodes
from socare_spark.places.settings import PopulationSource, PostcodeSource
from socare_spark.storage.landing import Landing


def _rows(frame, *columns):
    return sorted(map(tuple, frame.select(*columns).collect()), key=str)


def _codepoint(tmp_path, name, *rows):
    lines = [
        f'"{postcode}",10,{east},{north},"E92000001","","","","E08",""\n'
        for postcode, east, north in rows
    ]
    (tmp_path / name).write_text("".join(lines))


def test_each_postcode_once_by_the_first_source(spark, tmp_path):
    _codepoint(
        tmp_path,
        "a.csv",
        ("B1  1AA", 406000, 286000),
        ("B21 8AA", 0, 0),
        ("WS9 0ZZ", 405000, 300000),
    )
    with gzip.open(tmp_path / "o.csv.gz", "wt") as file:
        file.write(
            "x,pcd,oseast1m,osnrth1m\n"
            "1,B1  1AA,1,1\n"  # known already
            "1,B21 8AA,406500.0,290500.0\n"  # known already, without a place
            "1,b992zz,406500.4,290500.0\n"  # terminated; odd spelling
            "1,B30 1AA,,\n"
            "1,NONSENSE,406500.0,290500.0\n"
        )
    sources = [
        PostcodeSource(name="cp", layout="codepoint", files=("a*.csv",)),
        PostcodeSource(name="onspd", layout="onspd", files=("o.csv.gz",)),
    ]
    assert _rows(
        read_postcodes(spark, Landing(tmp_path), sources),
        "postcode",
        "district",
        "sector",
        "easting",
        "northing",
        "source",
    ) == [
        ("B1 1AA", "B1", "B1 1", 406000, 286000, "cp"),
        ("B21 8AA", "B21", "B21 8", None, None, "cp"),
        ("B30 1AA", "B30", "B30 1", None, None, "onspd"),
        ("B99 2ZZ", "B99", "B99 2", 406500, 290500, "onspd"),
        ("WS9 0ZZ", "WS9", "WS9 0", 405000, 300000, "cp"),
    ]


def test_an_edition_that_spells_its_columns_otherwise(spark, tmp_path):
    (tmp_path / "o.csv").write_text("pcds,east1m,north1m\nB1 1AA,406000,286000\n")
    columns = {"postcode": "pcds", "easting": "east1m", "northing": "north1m"}
    source = PostcodeSource(name="o", layout="onspd", files=("o.csv",), columns=columns)
    assert _rows(read_postcodes(spark, Landing(tmp_path), [source]), "postcode", "easting") == [
        ("B1 1AA", 406000)
    ]


def test_northern_ireland_is_transformed_from_the_irish_grid(spark, tmp_path):
    # EPSG:29902 to EPSG:27700 as PROJ computes it.
    (tmp_path / "o.csv").write_text(
        "pcd,oseast1m,osnrth1m,ctry25cd\n"
        "CH41 1AA,336000,376000,E92000001\n"
        "BT197ZZ,341168,379140,N92000002\n"
        "JE2 3ZZ,341168,379140,L93000001\n"
        "BT1 1AA,341168,379140,\n"
    )
    source = PostcodeSource(name="o", layout="onspd", files=("o.csv",))
    rows = _rows(
        read_postcodes(spark, Landing(tmp_path), [source]), "postcode", "easting", "northing"
    )
    assert rows == [
        ("BT1 1AA", None, None),
        ("BT19 7ZZ", pytest.approx(153_986, abs=5), pytest.approx(533_968, abs=5)),
        ("CH41 1AA", 336000, 376000),
        ("JE2 3ZZ", None, None),
    ]


def test_postcodes_of_another_grid_have_no_place_without_a_country(spark, tmp_path):
    (tmp_path / "o.csv").write_text(
        "pcd,oseast1m,osnrth1m\nBT197ZZ,341168,379140\nB1 1AA,406000,286000\n"
    )
    source = PostcodeSource(name="o", layout="onspd", files=("o.csv",))
    rows = _rows(read_postcodes(spark, Landing(tmp_path), [source]), "postcode", "easting")
    assert rows == [("B1 1AA", 406000), ("BT19 7ZZ", None)]


@pytest.mark.parametrize(
    ("layout", "files", "error", "says"),
    [
        ("onspd", "missing*.csv", DataError, "No file missing"),
        ("onspd", "a.csv", ConfigurationError, "has no column pcd, oseast1m, osnrth1m"),
        ("codepoint", "narrow.csv", ConfigurationError, "has no column _c2, _c3"),
    ],
)
def test_wrong_postcode_source_is_reported(spark, tmp_path, layout, files, error, says):
    _codepoint(tmp_path, "a.csv", ("B1  1AA", 406000, 286000))
    (tmp_path / "narrow.csv").write_text("B1 1AA,10\n")
    with pytest.raises(error, match=says):
        read_postcodes(
            spark, Landing(tmp_path), [PostcodeSource(name="s", layout=layout, files=(files,))]
        )


def _population(**columns):
    return PopulationSource.model_validate({"files": ["p.csv"], **columns})


def test_population_with_a_total_and_without(spark, tmp_path):
    (tmp_path / "p.csv").write_text(
        "layer,code,year,band,people\n"
        "ward,A,2011,0-11,10.0\n"
        "ward,A,2011,11+,20.0\n"  # no total given: it is the sum
        "ward,B,2011,0-11,1\n"
        "ward,B,2011,,7\n"  # given, and not the sum of what is there
    )
    columns = {c: {"column": c} for c in ("layer", "code", "year")}
    found = read_population(
        spark,
        Landing(tmp_path),
        [_population(**columns, age_band={"column": "band"}, population={"column": "people"})],
    )
    assert _rows(found, "code", "age_band", "population") == [
        ("A", "0-11", 10),
        ("A", "11+", 20),
        ("A", None, 30),
        ("B", "0-11", 1),
        ("B", None, 7),
    ]


def test_population_layer_and_year_can_be_fixed_values(spark, tmp_path):
    (tmp_path / "p.csv").write_text("ward_code,n\nA,5\n")
    source = _population(
        layer={"value": "ward"},
        year={"value": 2024},
        code={"column": "ward_code"},
        population={"column": "n"},
    )
    assert _rows(
        read_population(spark, Landing(tmp_path), [source]), "layer", "code", "year", "population"
    ) == [("ward", "A", 2024, 5)]


def test_population_from_files_with_columns_in_another_order(spark, tmp_path):
    (tmp_path / "p1.csv").write_text("code,year,population\nA,2011,1500\n")
    (tmp_path / "p2.csv").write_text("code,population,year\nB,1600,2012\n")
    columns = {c: {"column": c} for c in ("code", "year", "population")}
    source = _population(layer={"value": "ward"}, files=["p*.csv"], **columns)
    found = read_population(spark, Landing(tmp_path), [source])
    assert _rows(found, "code", "year", "population") == [("A", 2011, 1500), ("B", 2012, 1600)]
    (tmp_path / "p3.csv").write_text("code,people,year\nB,1600,2013\n")
    with pytest.raises(ConfigurationError, match=r"p3.csv has no column population"):
        read_population(spark, Landing(tmp_path), [source])


def test_population_that_is_no_number(spark, tmp_path):
    (tmp_path / "p.csv").write_text("ward_code,n\nA,many\nB,2\n")
    source = _population(
        layer={"value": "ward"},
        year={"value": 2024},
        code={"column": "ward_code"},
        population={"column": "n"},
    )
    with pytest.raises(DataError, match="have 1 row ") as caught:
        read_population(spark, Landing(tmp_path), [source])
    assert "many" not in str(caught.value)


def test_no_population_at_all(spark, tmp_path):
    assert read_population(spark, Landing(tmp_path), []).count() == 0
