"""Reads a file of unknown format: CSV, a workbook or XML."""

from pathlib import Path

from socare_spark.ingest.csv_records import chunks
from socare_spark.ingest.format_diagnosis import is_xml, workbook_format
from socare_spark.onboarding.source_table import SourceTable, read_csv_table
from socare_spark.onboarding.workbook_source import read_workbook_table
from socare_spark.onboarding.xml_source import read_xml_table


def read_table(
    path: Path,
    *,
    header: int | str | None = None,
    sheet: str | None = None,
    record: str | None = None,
) -> SourceTable:
    """Reads a file. Its first bytes decide the format.

    Args:
        path: The file; a CSV or XML file can be gzipped.
        header: Number of the row with the names, `none`, or None to find it.
        sheet: Name of the sheet of a workbook; by default the one with the most rows.
        record: Path of the element of a record of an XML file; by default it is found.

    Raises:
        DataError: the file cannot be read. The message can follow the name of the file.
    """
    head = next(chunks(path), b"")
    format_ = workbook_format(head)
    if format_:
        return read_workbook_table(path, format_, sheet=sheet, header=header)
    if is_xml(head):
        return read_xml_table(path, record)
    return read_csv_table(path, header)
