"""Codes as the case system prints them, in every spelling that extracts have shown."""

from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses import coded_text

CASES = [
    # text, code, description, period
    ("ER34 - Form (Oct 12 - Feb 15)", "ER34", "Form (Oct 12 - Feb 15)", "Oct 12 - Feb 15"),
    ("REF03 \u2013 Mash \u2013 Form", "REF03", "Mash \u2013 Form", None),  # en dashes
    ("COMP\u2014Complete", "COMP", "Complete", None),  # em dash, no blanks
    ("logref-Logged as a Referral", "LOGREF", "Logged as a Referral", None),  # lower case
    ("\tTES_SDQ  -  TESS - SDQ Sum\n", "TES_SDQ", "TESS - SDQ Sum", None),  # first dash parts
    ("FSTR02 - Family Support (2015)", "FSTR02", "Family Support (2015)", "2015"),
    ("CPL - Plan (Children)", "CPL", "Plan (Children)", None),  # brackets without a year
    ("SUPERV", "SUPERV", None, None),  # no description
    ("NFA -", "NFA", None, None),
    ("Other reason", "OTHER REASON", None, None),  # nothing but a text
    ("- Complete", "- COMPLETE", None, None),  # no code: the text stands for itself
    ("SUM1\u00a0- Case Work", "SUM1", "Case Work", None),  # a blank that does not break
    ("   ", None, None, None),
    (None, None, None, None),
]  # fmt: skip


def test_text_is_split_into_code_description_and_period(spark):
    schema = "text string, code string, description string, period string"
    expected = spark.createDataFrame(CASES, schema)
    text = F.col("text")
    actual = expected.select(
        "text",
        coded_text.code(text).alias("code"),
        coded_text.description(text).alias("description"),
        coded_text.period(text).alias("period"),
    )
    assertDataFrameEqual(actual, expected)
