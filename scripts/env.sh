# shellcheck shell=bash
# Sourced by the other scripts. Sets Python, Java, jars and JVM options of jobs and tests. After
# `use_environment`, these variables are set:
#
#   SOCARE_ROOT          the checkout
#   SOCARE_JARS          the jars of Delta and Sedona and those of SOCARE_MORE_JARS, separated by colons
#   SPARK_HOME           the Spark of .venv
#   JAVA_HOME            Java 17 or 21
#   PYSPARK_SUBMIT_ARGS  options with which `SparkSession.builder.getOrCreate()` makes the same
#                        session as spark-submit with conf/spark/local.conf; tests use it
#
# The caller can set SOCARE_SPARK_CONF (another properties file), SOCARE_JAVA_OPTIONS (further options
# for the driver's Java), SOCARE_DRIVER_MEMORY (its memory) and SOCARE_MORE_JARS (a folder with further
# jars, such as those of S3).

SOCARE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
SOCARE_VENV="$SOCARE_ROOT/.venv"
export SOCARE_ROOT

PACKAGES='spark\.jars\.packages'

# On small data, compiling costs more time than it saves: Java's second compiler, and Spark's generated
# code. With the first compiler only, the default code cache is too small, and Java stops compiling when
# it is full.
# shellcheck disable=SC2034
SMALL_DATA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m'
SMALL_DATA_OPTIONS+=' -Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN'

# Prints a message and exits with a code (README, Exit codes).
stop() {
    local code="$1"
    shift
    printf '%s\n' "$*" >&2
    exit "$code"
}

# Identifies the inputs of the environment. The path is one of them, because neither a venv nor a
# class-data archive can be moved.
environment_stamp() {
    {
        printf '%s\n' "$SOCARE_ROOT" "$(property "$SOCARE_ROOT/conf/spark/local.conf" "$PACKAGES")"
        cat "$SOCARE_ROOT"/{pyproject.toml,constraints.txt,scripts/setup,scripts/archive.py}
    } | cksum
}

environment_is_ready() {
    [ -f "$SOCARE_VENV/stamp" ] && [ -x "$SOCARE_VENV/bin/python" ] &&
        [ "$(cat "$SOCARE_VENV/stamp")" = "$(environment_stamp)" ] &&
        [ -x "$(cat "$SOCARE_VENV/java_home")/bin/java" ]
}

# Prints the value of a key in a properties file, or nothing if the key is absent.
property() {
    sed -n "s/^$2[[:space:]=]\{1,\}//p" "$1" | tail -n 1
}

# Sets SOCARE_JARS to the jars of .venv and those in further folders.
set_jars() {
    local folder jar
    SOCARE_JARS=""
    for folder in "$SOCARE_VENV/jars" "$@"; do
        for jar in "$folder"/*.jar; do
            SOCARE_JARS="${SOCARE_JARS:+$SOCARE_JARS:}$jar"
        done
    done
}

# Spark's own jars come first, as with spark.jars.packages. The GeoTools wrapper contains an older Guava
# and SLF4J, which would break Spark.
driver_class_path() {
    printf '%s' "$SPARK_HOME/jars/*:$SOCARE_JARS"
}

# Options on the command line replace those of the properties file, so this function repeats them.
driver_java_options() {
    local archive="$SOCARE_VENV/jars/classes.jsa" options
    # Java's warnings would appear among the results of a job.
    options="$(property "$SOCARE_SPARK_CONF" 'spark\.driver\.extraJavaOptions')"
    options="$options -Xlog:disable -Xlog:all=error:stderr"
    if [ -f "$archive" ]; then
        # Java ignores an archive that does not match its version or the jars.
        options="$options -Xshare:auto \"-XX:SharedArchiveFile=$archive\""
    fi
    printf '%s' "$options ${SOCARE_JAVA_OPTIONS:-}"
}

# Sets DRIVER_OPTIONS, the options of spark-submit. Jars are read from disk instead of resolving
# packages, which saves seconds at every start.
set_driver_options() {
    DRIVER_OPTIONS=(
        --properties-file "$SOCARE_SPARK_CONF"
        --conf spark.jars.packages=
        --driver-class-path "$(driver_class_path)"
        --driver-java-options "$(driver_java_options)"
    )
    if [ -n "${SOCARE_DRIVER_MEMORY:-}" ]; then
        DRIVER_OPTIONS+=(--driver-memory "$SOCARE_DRIVER_MEMORY")
    fi
}

use_environment() {
    local quoted
    environment_is_ready || stop 6 "The environment is missing or out of date. Run scripts/setup."
    SOCARE_SPARK_CONF="${SOCARE_SPARK_CONF:-$SOCARE_ROOT/conf/spark/local.conf}"
    [ -f "$SOCARE_SPARK_CONF" ] ||
        stop 2 "No file $SOCARE_SPARK_CONF. Set SOCARE_SPARK_CONF to a properties file."
    case "$SOCARE_SPARK_CONF" in
    /*) ;;
    *) SOCARE_SPARK_CONF="$PWD/$SOCARE_SPARK_CONF" ;;
    esac
    set_jars ${SOCARE_MORE_JARS:+"$SOCARE_MORE_JARS"}
    SPARK_HOME="$(cat "$SOCARE_VENV/spark_home")"
    JAVA_HOME="$(cat "$SOCARE_VENV/java_home")"
    PATH="$SOCARE_VENV/bin:$PATH"
    PYSPARK_PYTHON="$SOCARE_VENV/bin/python"
    PYSPARK_DRIVER_PYTHON="$PYSPARK_PYTHON"
    export SOCARE_SPARK_CONF SOCARE_JARS SPARK_HOME JAVA_HOME PATH
    export PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON
    # Remove settings of another Spark.
    unset SPARK_CONF_DIR SPARK_CLASSPATH SPARK_DIST_CLASSPATH SPARK_REMOTE PYTHONHOME
    # No usage data are sent.
    export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true

    set_driver_options
    printf -v quoted '%q ' "${DRIVER_OPTIONS[@]}"
    export PYSPARK_SUBMIT_ARGS="${quoted}pyspark-shell"
}
