"""Finds the periods in the names of files, and the pattern that matches the names."""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import PurePosixPath

from socare_spark.contracts.periods import (
    Calendar,
    financial_years,
    names_two_years,
    possible_quarters,
)

_YEAR = "(?:19|20)[0-9]{2}"
# Forms of a period with the regular expression that a contract declares, the longest first.
_FORMS = (
    (rf"{_YEAR}[-_./]?[0-9]{{2}}[-_./]?[Qq][1-4]", r"\d{4}[-_./]?\d{2}[-_./]?[Qq][1-4]"),
    (rf"{_YEAR}[-_./][0-9]{{2}}[-_./][0-9]{{2}}", r"\d{4}[-_./]\d{2}[-_./]\d{2}"),
    (rf"{_YEAR}[-_/]{_YEAR}", r"\d{4}[-_/]\d{4}"),
    (rf"{_YEAR}[-_./]?[Qq][1-4]", r"\d{4}[-_./]?[Qq][1-4]"),
    (rf"{_YEAR}[-_./]?[Ww][0-9]{{1,2}}", r"\d{4}[-_./]?[Ww]\d{1,2}"),
    (rf"{_YEAR}[0-9]{{4}}", r"\d{8}"),
    (rf"{_YEAR}[-_./][0-9]{{1,2}}", r"\d{4}[-_./]\d{1,2}"),
    (rf"{_YEAR}[0-9]{{2}}", r"\d{6}"),
    (_YEAR, r"\d{4}"),
)
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTHS = re.compile(rf"(?<![a-z]){_MONTH}(?![a-z])", re.IGNORECASE)
_NAMED_MONTH = re.compile(
    rf"(?<![a-z]){_MONTH}[ _.-]*(?P<after>{_YEAR})(?![0-9])"
    rf"|(?<![0-9])(?P<before>{_YEAR})[ _.-]*{_MONTH}(?![a-z])",
    re.IGNORECASE,
)
_REVISION = re.compile(r"_r[0-9]+$")
_ENDING = re.compile(r"((?:\.[A-Za-z]+)+)$")
# Files of these kinds can be gzipped.
_ZIPPED = (".csv", ".txt", ".tsv")
# Days before and after the end of a year between which its newest date is.
_BEFORE, _AFTER = timedelta(45), timedelta(10)
_DAYS_OF_MONTH = 31


@dataclass(frozen=True)
class FileNames:
    """The names of the files of a dataset.

    Attributes:
        pattern: Regular expression of the names with the group `period`, for `socare.files`.
        periods: Name -> period as written; empty if a name has none.
        year_ends: Month and day on which a year ends, or empty for calendar years.
        named_by: `start` or `end` for years of one number that do not end in December.
        problems: Reasons for which `ingest` refuses names, with the change to make.
        doubts: Sentences on findings that a person must decide.
    """

    pattern: str
    periods: Mapping[str, str]
    year_ends: str = ""
    named_by: str = ""
    problems: Sequence[str] = ()
    doubts: Sequence[str] = ()

    @property
    def calendar(self) -> Calendar:
        """The years of the dataset."""
        if not self.year_ends:
            return Calendar()
        named = {"start": "start", "end": "end"}.get(self.named_by)
        return Calendar(3, 31, named)  # type: ignore[arg-type]


def find_periods(names: Sequence[str], newest: Mapping[str, date]) -> FileNames:
    """Finds the periods in names of files.

    Args:
        names: Paths below the landing folder.
        newest: Name -> newest day in the file's columns of dates, births excluded.
    """
    spans = {name: _period_span(name, names) for name in names}
    without = [name for name in names if spans[name] is None]
    if without:
        return _without_period(names, without, newest)
    found = {name: span for name, span in spans.items() if span}
    periods = {name: name[begin:end] for name, (begin, end, _) in found.items()}
    forms = dict.fromkeys(form for _, _, form in found.values())
    period = f"(?P<period>{'|'.join(forms)})"
    patterns = {_pattern(name, span, period) for name, span in found.items()}
    pattern = patterns.pop() if len(patterns) == 1 else _pattern_of_parts(found, period)
    year_ends, named_by, doubts = _calendar(periods, newest)
    if len({re.fullmatch(_YEAR, text) is None for text in periods.values()}) > 1:
        doubts = (*doubts, "some names have a year and others a part of it, so files can overlap")
    names_of = FileNames(pattern, periods, year_ends, named_by, (), doubts)
    return replace(names_of, problems=_problems(periods, names_of.calendar))


def depends_on_years(text: str) -> bool:
    """Whether a period is longer than a month, so that the end of the year can change its days."""
    try:
        first, last = Calendar().days(text)
    except ValueError:
        return True
    return (last - first).days > _DAYS_OF_MONTH


def _period_span(name: str, names: Sequence[str]) -> tuple[int, int, str] | None:
    """Begin, end and form of the period in a name; a period in the file's name comes first."""
    start = name.rfind("/") + 1
    candidates = []
    for i, (expression, form) in enumerate(_FORMS):
        for match in re.finditer(rf"(?<![0-9]){expression}(?![0-9])", name):
            text = match[0]
            if _is_period(text):
                # Of several numbers, the one that differs between the files is the period.
                varies = len(names) > 1 and any(text not in other for other in names)
                in_name = match.start() >= start
                candidates.append((varies, in_name, -i, match.start(), match.end(), form))
    if not candidates:
        return None
    best = max(candidates)
    return best[3], best[4], best[5]


def _is_period(text: str) -> bool:
    for calendar in (Calendar(), Calendar(3, 31, "start")):
        try:
            calendar.days(text)
        except ValueError:
            continue
        return True
    return False


def _pattern(name: str, span: tuple[int, int, str], period: str) -> str:
    """The pattern of a name: a revision and gzip are optional."""
    before, after = name[: span[0]], name[span[1] :]
    rest, suffix = _without_ending(after), _suffix(name)
    zipped = r"(\.gz)?" if suffix in _ZIPPED else ""
    revision = r"(_r(?P<revision>\d+))?"
    return f"{_literal(before)}{period}{_literal(rest)}{revision}{_literal(suffix)}{zipped}"


def _literal(text: str) -> str:
    """A text as a regular expression that Java and Python read alike."""
    return re.sub(r"([.+*?()\[\]{}|^$\\])", r"\\\1", text)


def _pattern_of_parts(found: Mapping[str, tuple[int, int, str]], period: str) -> str:
    """The pattern of names that differ outside of the period: groups have the differences."""
    heads = {name[:begin] for name, (begin, _, _) in found.items()}
    tails = {_without_ending(name[end:]) for name, (_, end, _) in found.items()}
    suffixes = {_suffix(name) for name in found}
    folders = {head.rpartition("/")[0] for head in heads}
    folder = f"{_literal(next(iter(folders)))}/" if len(folders) == 1 else ""
    head = _literal(next(iter(heads))) if len(heads) == 1 else f"{folder}(?P<part>.*?)"
    group = "rest" if len(heads) > 1 else "part"
    tail = _literal(next(iter(tails))) if len(tails) == 1 else f"(?P<{group}>.*?)"
    suffix = _literal(next(iter(suffixes))) if len(suffixes) == 1 else r"\.\w+"
    return rf"{head}{period}{tail}(_r(?P<revision>\d+))?{suffix}(\.gz)?"


def _suffix(name: str) -> str:
    match = _ENDING.search(name)
    return match[1].removesuffix(".gz") if match else ""


def _without_ending(text: str) -> str:
    return _REVISION.sub("", _ENDING.sub("", text))


def _calendar(
    periods: Mapping[str, str], newest: Mapping[str, date]
) -> tuple[str, str, tuple[str, ...]]:
    """The end of the year, the naming of years of one number, and doubts."""
    values = [*periods.values()]
    if any(map(names_two_years, values)) or financial_years(values):
        return "03-31", "", ("the names have two years, so years are taken to end on 31 March",)
    years = {name: int(text) for name, text in periods.items() if re.fullmatch(_YEAR, text)}
    if not years or len(years) < len(values):
        return "", "", ()
    dated = {name: (newest[name], year) for name, year in years.items() if name in newest}
    starts = [_reaches(day, date(year + 1, 3, 31)) for day, year in dated.values()]
    ends = [_reaches(day, date(year, 3, 31)) for day, year in dated.values()]
    if starts and all(starts):
        return (
            "03-31",
            "start",
            ("the newest dates are at the end of March of the next year, so years are taken to "
             "begin on 1 April of the year in the name",),
        )  # fmt: skip
    if ends and all(ends):
        return (
            "03-31",
            "end",
            ("the newest dates are at the end of March, so years are taken to end on 31 March of "
             "the year in the name",),
        )  # fmt: skip
    return "", "", ("years are taken to be calendar years",)


def _reaches(day: date, end: date) -> bool:
    return end - _BEFORE <= day <= end + _AFTER


def _problems(periods: Mapping[str, str], calendar: Calendar) -> list[str]:
    problems = []
    doubtful = possible_quarters(periods.values()) if calendar.has_calendar_years else ()
    for name, text in periods.items():
        try:
            calendar.days(text)
        except ValueError as error:
            problems.append(f"{name}: the name has no valid period ({error}): rename the file")
            continue
        if re.fullmatch(_YEAR, text) and (month := _NAMED_MONTH.search(name)):
            problems.append(_named_month(name, month))
        if text in doubtful:
            problems.append(
                f"{name}: the period can be a month or a quarter: write 2017-01 for a month, or "
                "2017-Q1 for a quarter"
            )
    return problems


def _named_month(name: str, month: re.Match[str]) -> str:
    """The problem of a name with a month in words, which would be read as a whole year."""
    if len(_MONTHS.findall(name)) > 1:
        return (
            f"{name}: the months are words, so the period would be the year: rename the file with "
            "a period such as 2015-04 or 2015-Q1"
        )
    word = re.sub("[^a-z]", "", month[0].lower())[:3]
    number = _MONTH_NAMES.index(word) + 1
    renamed = f"{name[: month.start()]}{month['after'] or month['before']}-{number:02d}"
    return (
        f"{name}: the month is a word, so the period would be the year: rename the file to "
        f"{renamed}{name[month.end() :]}"
    )


def _end_of_month(day: date) -> date:
    """The last day of the month of a day, at most today: a file has no data of later days."""
    return min(day.replace(day=monthrange(day.year, day.month)[1]), date.today())


def _without_period(
    names: Sequence[str], without: Sequence[str], newest: Mapping[str, date]
) -> FileNames:
    """The pattern of names to which a day must be added."""
    stems = {_ENDING.sub("", name) for name in names}
    stem = _literal(stems.pop()) if len(stems) == 1 else ""
    folder = _literal(str(PurePosixPath(names[0]).parent))
    base = stem or f"{folder}/(?P<part>.+)"
    suffixes = {_suffix(name) for name in names}
    suffix = next(iter(suffixes)) if len(suffixes) == 1 else ".csv"
    zipped = r"(\.gz)?" if suffix in _ZIPPED else ""
    problems = []
    for name in without:
        end = _ENDING.search(name)
        suffix_of = end[1] if end else ""
        day = newest.get(name)
        # The last day of the month, because the newest day itself is a value of a cell.
        example = str(_end_of_month(day)) if day else "YYYY-MM-DD"
        problems.append(
            f"{name}: the name has no period: rename the file to "
            f"{_ENDING.sub('', name)}_{example}{suffix_of}, with the day on which the data end"
        )
    pattern = rf"{base}_(?P<period>\d{{4}}-\d{{2}}-\d{{2}}){_literal(suffix)}{zipped}"
    return FileNames(pattern, {}, problems=problems)
