# shellcheck shell=bash
# Sourced by the other scripts: the one place that says with which Python, Java, jars and JVM options
# a job or a test runs. After `use_environment`:
#
#   SOCARE_ROOT          the checkout
#   SOCARE_JARS          the jars of Delta and Sedona, separated by colons
#   SPARK_HOME           the Spark of .venv
#   JAVA_HOME            a Java that Spark knows
#   PYSPARK_SUBMIT_ARGS  what gives a plain `SparkSession.builder.getOrCreate()` the same session
#                        as spark-submit with conf/spark/local.conf; tests use it
#
# SOCARE_SPARK_CONF names another properties file, SOCARE_JAVA_OPTIONS adds options for the driver's
# Java, SOCARE_DRIVER_MEMORY sets its size.

SOCARE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
SOCARE_VENV="$SOCARE_ROOT/.venv"
export SOCARE_ROOT

PACKAGES='spark\.jars\.packages'

# Small data are done before Java's second compiler would pay for itself. With the first alone Java
# keeps too little room for compiled code, and stops compiling once it is full.
# shellcheck disable=SC2034
SMALL_DATA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m'

# One sentence to the operator, and the exit code that goes with it (README, exit codes).
stop() {
    local code="$1"
    shift
    printf '%s\n' "$*" >&2
    exit "$code"
}

# What the environment was made from. Another place on disk is another environment: neither a venv
# nor a class-data archive can be moved.
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

# The value of a key in a properties file, nothing where it is not there.
property() {
    sed -n "s/^$2[[:space:]=]\{1,\}//p" "$1" | tail -n 1
}

set_jars() {
    local jar
    SOCARE_JARS=""
    for jar in "$SOCARE_VENV"/jars/*.jar; do
        SOCARE_JARS="${SOCARE_JARS:+$SOCARE_JARS:}$jar"
    done
}

# Spark's own jars come first, as they would before fetched packages: the wrapper of GeoTools brings
# an older Guava and SLF4J, which would break Spark.
driver_class_path() {
    printf '%s' "$SPARK_HOME/jars/*:$SOCARE_JARS"
}

# Options on the command line replace those of the properties file, so these repeat them.
driver_java_options() {
    local archive="$SOCARE_VENV/jars/classes.jsa" options
    # Java's own warnings would stand between a job's results.
    options="$(property "$SOCARE_SPARK_CONF" 'spark\.driver\.extraJavaOptions')"
    options="$options -Xlog:disable -Xlog:all=error:stderr"
    if [ -f "$archive" ]; then
        # An archive that does not fit this Java or these jars is passed over.
        options="$options -Xshare:auto \"-XX:SharedArchiveFile=$archive\""
    fi
    printf '%s' "$options ${SOCARE_JAVA_OPTIONS:-}"
}

# Sets DRIVER_OPTIONS, those of spark-submit. Jars come from disk and not by resolving packages, which
# saves seconds at every start.
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
    environment_is_ready || stop 6 "The environment is missing or out of date: run scripts/setup."
    SOCARE_SPARK_CONF="${SOCARE_SPARK_CONF:-$SOCARE_ROOT/conf/spark/local.conf}"
    [ -f "$SOCARE_SPARK_CONF" ] ||
        stop 2 "There is no file $SOCARE_SPARK_CONF: SOCARE_SPARK_CONF must name a properties file."
    case "$SOCARE_SPARK_CONF" in
    /*) ;;
    *) SOCARE_SPARK_CONF="$PWD/$SOCARE_SPARK_CONF" ;;
    esac
    set_jars
    SPARK_HOME="$(cat "$SOCARE_VENV/spark_home")"
    JAVA_HOME="$(cat "$SOCARE_VENV/java_home")"
    PATH="$SOCARE_VENV/bin:$PATH"
    PYSPARK_PYTHON="$SOCARE_VENV/bin/python"
    PYSPARK_DRIVER_PYTHON="$PYSPARK_PYTHON"
    export SOCARE_SPARK_CONF SOCARE_JARS SPARK_HOME JAVA_HOME PATH
    export PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON
    # Settings of another Spark must not mix with ours.
    unset SPARK_CONF_DIR SPARK_CLASSPATH SPARK_DIST_CLASSPATH SPARK_REMOTE PYTHONHOME
    # Nothing is sent to anybody.
    export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true

    set_driver_options
    printf -v quoted '%q ' "${DRIVER_OPTIONS[@]}"
    export PYSPARK_SUBMIT_ARGS="${quoted}pyspark-shell"
}
