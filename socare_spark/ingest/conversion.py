"""Converts cells to typed values and checks each row against the rules of its contract.

A rule has a reason code, a column and a condition. A row that meets the condition fails the rule
and is quarantined. Rules are numbered. Each row carries the numbers of its failed rules as bits,
so checks create no strings and a row can fail any number of rules.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.field import Field
from socare_spark.contracts.place_columns import PlaceColumns
from socare_spark.contracts.project import Scheme
from socare_spark.ingest.pseudonym import has_shape
from socare_spark.ingest.whitespace import strip_whitespace
from socare_spark.lake.columns import value_of
from socare_spark.postcode_columns import letters_and_digits_column, normalise_postcode
from socare_spark.postcodes import letters_and_digits

BITS_PER_WORD = 60
_FIXED_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_UNPADDED = ("%m", "%d", "%H", "%M", "%S", "%I")
_MONTHS = "January February March April May June July August September October November December"
_DIRECTIVES = {
    "%Y": "[0-9]{4}", "%y": "[0-9]{2}", "%j": "[0-9]{3}", "%f": "[0-9]{1,6}", "%p": "[AaPp][Mm]",
    "%b": "(?i:" + "|".join(m[:3] for m in _MONTHS.split()) + ")",
    "%B": "(?i:" + "|".join(_MONTHS.split()) + ")",
    "%z": "Z|[+-][0-9]{2}:?[0-9]{2}",
    **dict.fromkeys(_UNPADDED, "[0-9]{2}"),
}  # fmt: skip
_FIXED_WIDTH_PATTERNS = {part: f"[0-9]{{{size}}}" for part, size in _FIXED_WIDTHS.items()}
_SCIENTIFIC_NOTATION = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}$"
# Minutes by which clocks are changed.
_CLOCK_CHANGES = (30, 60, 120)
_MONEY_TYPE = "decimal(12,2)"
# Seven decimals of a degree are a centimetre.
_COORDINATE_TYPE = "decimal(18,7)"


@dataclass(frozen=True)
class Rule:
    """A condition under which a row is quarantined.

    Attributes:
        code: Reason code.
        column: The field that the rule concerns; empty for the row as a whole.
        failed: Whether the row fails the rule; null counts as false.
    """

    code: str
    column: str
    failed: Column


def clean_cell(cell: Column, missing: Sequence[str], *, spaces_only: bool = False) -> Column:
    """Strips a cell and replaces missing values by null.

    Args:
        cell: The cell.
        missing: Texts that mean a missing value; the empty text always does.
        spaces_only: Whether the cell contains no whitespace or control character but the space.
    """
    text = strip_whitespace(cell, spaces_only=spaces_only)
    null_texts = sorted({"", *missing})
    return F.when(~text.isin(null_texts), text)


def missing_meaning(
    cell: Column, meanings: Mapping[str, str], *, spaces_only: bool = False
) -> Column:
    """The meaning of a missing value; null for a value, and for a text without a meaning.

    Args:
        cell: The cell.
        meanings: Text of a missing value -> its meaning. An empty cell has the text "".
        spaces_only: As in `clean_cell`.
    """
    text = F.coalesce(strip_whitespace(cell, spaces_only=spaces_only), F.lit(""))
    return value_of(text, meanings)


def convert(field: Field, text: Column) -> Column:
    """Converts a cleaned cell to the type of its field.

    Args:
        field: The field.
        text: The cleaned cell; for an identifier its normalised text.

    Returns:
        The value; null where the text is not of the type. Identifiers stay text.
    """
    if field.socare.pseudonymise:
        return text
    if field.socare.is_postcode:
        return _convert_postcode(field, text)
    if field.is_date:
        day = _parse_field_datetime(field, text)
        opens = field.socare.open_ended
        return F.when(~local_day(field, day).isin(*opens), day) if opens else day
    return _convert_plain(field, text)


def _convert_plain(field: Field, text: Column) -> Column:
    match field.type:
        case "boolean":
            is_true = F.when(text.isin(*field.true_values), F.lit(True))
            return is_true.when(text.isin(*field.false_values), F.lit(False))
        case "integer":
            return _convert_number(field, text, "bigint")
        case "number":
            return _convert_number(field, text, _MONEY_TYPE)
    return text


def _convert_number(field: Field, text: Column, target: str) -> Column:
    """Converts a number with the decimal point, group marks, currency and brackets declared for it.

    The common form (digits with a decimal point) is tried first because it is faster. The result
    is null where the number has more digits than the type holds.
    """
    whole = field.type == "integer"
    point, mark = re.escape(field.decimal_char), re.escape(field.group_char or "")
    mark = "[ \u00a0\u202f]" if field.group_char == " " else mark
    cents = f"(?:{point}0*)?" if whole else f"(?:{point}[0-9]{{0,2}}0*)?"
    groups = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if field.group_char else ""
    body = f"((?:{groups}[0-9]+){cents}" + ("" if whole else f"|{point}[0-9]{{1,2}}0*") + ")"
    unit = "|".join(map(re.escape, field.currencies))
    unit = f"(?:{unit})?\\s*" if unit else ""
    forms = [f"^{unit}([+-]?)\\s*{unit}{body}\\s*{unit}$"]
    if field.socare.brackets:
        forms.append(f"^{unit}([(])\\s*{unit}{body}\\s*{unit}[)]\\s*{unit}$")
    plain = r"^[+-]?[0-9]+$" if whole else r"^[+-]?[0-9]+([.][0-9]{0,2})?$"
    common_form = (
        F.when(text.rlike(plain), text.try_cast(target)) if field.decimal_char == "." else None
    )
    declared_forms = [_match_number(field, text, form, target) for form in forms]
    return F.coalesce(*([] if common_form is None else [common_form]), *declared_forms)


def _match_number(field: Field, text: Column, form: str, target: str) -> Column:
    """Converts a number that matches a pattern with two groups, the sign and the digits.

    Returns:
        The number; null where the text does not match.
    """
    sign, digits = (F.regexp_extract(text, form, i) for i in (1, 2))
    if field.group_char:
        marks = " \u00a0\u202f" if field.group_char == " " else field.group_char
        digits = F.translate(digits, marks, "")
    if field.decimal_char != ".":
        digits = F.translate(digits, field.decimal_char, ".")
    if field.type == "integer":
        digits = F.substring_index(digits, ".", 1)
    value = F.concat(F.translate(sign, "(", "-"), digits).try_cast(target)
    return F.when(text.rlike(form), value)


def _parse_field_datetime(field: Field, text: Column) -> Column:
    """Parses a date or time in the formats of its field.

    Returns:
        A DATE or TIMESTAMP. Local times of a declared zone are converted; the result is null where
        the clock of the zone does not show the time, or shows it twice.
    """
    zone, parsed = field.socare.zone, []
    for form in field.formats:
        value = parse_datetime(text, form, field.type)
        has_offset = "%z" in form
        if zone is not None and not has_offset:
            value = F.when(~_is_ambiguous(value, zone), F.to_utc_timestamp(value, zone))
        parsed.append(value)
    return F.coalesce(*parsed)


def local_time(field: Field, value: Column) -> Column:
    """The date, or the time on the clock of the field's zone."""
    zone = field.socare.zone
    return value if zone is None else F.from_utc_timestamp(value, zone)


def local_day(field: Field, value: Column) -> Column:
    """The day of a date, or of a time in the field's zone."""
    return local_time(field, value).cast("date")


def _is_ambiguous(local: Column, zone: str) -> Column:
    """Whether the clock of a zone does not show a local time, or shows it twice."""
    utc = F.to_utc_timestamp(local, zone)

    def shows(moment: Column) -> Column:
        return F.from_utc_timestamp(moment, zone) == local

    shifts = [F.expr(f"INTERVAL '{minutes}' MINUTE") for minutes in _CLOCK_CHANGES]
    again = [shows(moment) for shift in shifts for moment in (utc - shift, utc + shift)]
    return reduce(lambda a, b: a | b, again, ~shows(utc))


def _ambiguous_time(field: Field, zone: str, text: Column) -> Column:
    """Whether a text is a time of a declared format, and ambiguous in a zone; never null."""
    local = [parse_datetime(text, f, field.type) for f in field.formats if "%z" not in f]
    return F.coalesce(_is_ambiguous(F.coalesce(*local), zone), F.lit(False))


def parse_datetime(text: Column, form: str, type_: str) -> Column:
    """Parses a date or time in one strptime format.

    Cells of the format's full width are cut into parts by byte position and cast, which is fastest.
    Byte positions avoid counting characters from the start. Other cells are matched by a regular
    expression.

    Args:
        text: The cleaned cell.
        form: The strptime format.
        type_: `date` or `datetime`.

    Returns:
        A DATE or TIMESTAMP; null where the text is not in the format or the day does not exist.
    """
    target = "date" if type_ == "date" else "timestamp"
    parts = re.findall(r"%[A-Za-z]|[^%]", form)
    matched = _match_datetime(text, parts, target)
    if any(p.startswith("%") and p not in _FIXED_WIDTHS for p in parts) or not form.isascii():
        return matched
    position, part_texts = 1, {}
    pattern = "".join(_FIXED_WIDTH_PATTERNS.get(p) or re.escape(p) for p in parts)
    for part in parts:
        size = _FIXED_WIDTHS.get(part, 1)
        part_texts[part] = F.substring(text.cast("binary"), position, size).cast("string")
        position += size
    fixed = F.when(text.rlike(f"^{pattern}$"), _assemble_datetime(part_texts, target))
    return F.coalesce(fixed, matched)


def _match_datetime(text: Column, parts: Sequence[str], target: str) -> Column:
    """Parses a date whose parts are not padded or have no fixed width."""
    pattern = "^"
    for i, part in enumerate(parts):
        neighbours = [*parts[max(i - 1, 0) : i], *parts[i + 1 : i + 2]]
        is_separated = not any(p.startswith("%") or p.isdigit() for p in neighbours)
        part_pattern = "[0-9]{1,2}" if part in _UNPADDED and is_separated else _DIRECTIVES.get(part)
        pattern += f"({part_pattern})" if part_pattern else re.escape(part)
    pattern += "$"
    directives = [p for p in parts if p.startswith("%")]
    part_texts = {p: F.regexp_extract(text, pattern, i) for i, p in enumerate(directives, 1)}
    return F.when(text.rlike(pattern), _assemble_datetime(part_texts, target))


def _assemble_datetime(part_texts: Mapping[str, Column], target: str) -> Column:
    """Builds a DATE or TIMESTAMP from the text of each strptime directive.

    Returns:
        The value; null where the day or time does not exist.
    """
    year = part_texts.get("%Y")
    if year is None:
        # POSIX rule: 69 to 99 mean 1969 to 1999.
        two_digits = part_texts["%y"]
        year = F.concat(F.when(two_digits >= "69", "19").otherwise("20"), two_digits)
    day = F.concat_ws("-", year, _month(part_texts), part_texts.get("%d", F.lit("01")))
    if "%j" in part_texts:
        days = part_texts["%j"].cast("int")
        date_of_year = F.date_add(F.concat(year, F.lit("-01-01")).try_cast("date"), days - 1)
        day = F.when(
            (days > 0) & (F.year(date_of_year) == year.cast("int")), date_of_year.cast("string")
        )
    day = F.when(year != "0000", day)
    if target == "date":
        return day.try_cast("date")
    seconds = F.concat_ws(".", part_texts.get("%S", F.lit("00")), part_texts.get("%f", F.lit("0")))
    time = F.concat_ws(":", _hour(part_texts), part_texts.get("%M", F.lit("00")), seconds)
    offset = F.regexp_replace(part_texts.get("%z", F.lit("Z")), "^(...)([0-9]{2})$", "$1:$2")
    return F.concat(day, F.lit(" "), time, offset).try_cast("timestamp")


def _month(part_texts: Mapping[str, Column]) -> Column:
    name = part_texts.get("%b", part_texts.get("%B"))
    if name is None:
        return part_texts.get("%m", F.lit("01"))
    months = [m[:3].lower() for m in _MONTHS.split()]
    position = F.array_position(F.lit(months), F.lower(F.substring(name, 1, 3)))
    return position.cast("string")


def _hour(part_texts: Mapping[str, Column]) -> Column:
    if "%I" not in part_texts:
        return part_texts.get("%H", F.lit("00"))
    hour = part_texts["%I"].cast("int")
    late = F.when(F.lower(part_texts.get("%p", F.lit("am"))) == "pm", 12).otherwise(0)
    return F.when(hour.between(1, 12), (hour % 12 + late).cast("string"))


def _convert_postcode(field: Field, text: Column) -> Column:
    """Converts a unit postcode, or a text declared under `socare.no_place`.

    A valid unit postcode is never matched by the prefix of an entry with `*`.
    """
    unit = value = normalise_postcode(text)
    compact = letters_and_digits_column(text)
    for entry in field.socare.no_place:
        has_prefix = compact.startswith(letters_and_digits(entry)) & unit.isNull()
        matches = (
            has_prefix if entry.rstrip().endswith("*") else compact == letters_and_digits(entry)
        )
        value = F.when(matches, F.lit(entry.rstrip("* "))).otherwise(value)
    return value


def rules(
    contract: Contract,
    texts: Mapping[str, Column],
    values: Mapping[str, Column],
    as_of: Column,
    malformed: Column,
    *,
    schemes: Mapping[str, Scheme],
) -> list[Rule]:
    """Builds all rules of a contract.

    Args:
        contract: The contract.
        texts: Cleaned cell of each field; for an identifier its normalised text.
        values: Typed value of each field; for an identifier its normalised text.
        as_of: The extract's day.
        malformed: Whether the row has too many or too few cells.
        schemes: Scheme name -> normalisation and shape of its identifiers.

    Returns:
        The rules in the order of their bits; `row_shape` is the first.
    """
    all_rules = [Rule("row_shape", "", malformed)]
    for field in contract.fields:
        text, value = texts[field.name], values[field.name]
        all_rules += _identifier_rules(contract, field, schemes, text)
        all_rules += _field_rules(field, text, value)
    for date_order in contract.socare.date_order:
        broken = _is_before(contract, values, date_order.then, date_order.first)
        all_rules.append(Rule("date_order", date_order.then, broken))
    for name in contract.socare.not_after_extract:
        day = local_day(contract.field(name), values[name])
        broken = (day > as_of) | (day < F.lit(contract.socare.earliest))
        all_rules.append(Rule("date_range", name, broken))
    all_rules += _coordinate_rules(contract, texts)
    # The cells of a malformed row cannot be assigned to columns, so no other rule applies to it.
    return [all_rules[0], *(Rule(r.code, r.column, ~malformed & r.failed) for r in all_rules[1:])]


def _is_before(contract: Contract, values: Mapping[str, Column], name: str, other: str) -> Column:
    """Whether a date or time is before another one. A time and a date are compared as days."""
    fields = [contract.field(name), contract.field(other)]
    if fields[0].type == fields[1].type:
        return values[name] < values[other]
    day, other_day = (local_day(field, values[field.name]) for field in fields)
    return day < other_day


def _coordinate_rules(contract: Contract, texts: Mapping[str, Column]) -> list[Rule]:
    """Rules for coordinates: both are numbers, and none is given alone."""
    place = contract.socare.place
    if place is None or place.x is None or place.y is None:
        return []
    return [
        rule
        for name, other in ((place.x, place.y), (place.y, place.x))
        for rule in (
            Rule("type", name, texts[name].isNotNull() & _coordinate(texts[name]).isNull()),
            Rule("missing", name, texts[name].isNull() & texts[other].isNotNull()),
        )
    ]


def place_key(declared: PlaceColumns, *texts: Column) -> Column:
    """The place of a record: the layer and code of an area, or a coordinate system and coordinates.

    Args:
        declared: The columns of the place.
        texts: Cleaned cells of these columns, in their order.

    Returns:
        A text; null where a cell is missing, and where both coordinates are 0, which means that
        they are not known.
    """
    if declared.area is not None:
        return F.concat(F.lit(f"{declared.layer} "), F.upper(texts[0]))
    x, y = (_coordinate(text) for text in texts)
    known = (x != 0) | (y != 0)
    return F.when(known, F.concat(F.lit(f"{declared.crs} "), x.cast("string"), F.lit(" "), y))


def _coordinate(text: Column) -> Column:
    is_number = text.rlike(r"^[+-]?[0-9]+([.][0-9]*)?$")
    return F.when(is_number, text.try_cast("double").try_cast(_COORDINATE_TYPE))


def _identifier_rules(
    contract: Contract, field: Field, schemes: Mapping[str, Scheme], text: Column
) -> list[Rule]:
    """Rules for identifiers that a spreadsheet or another program has altered."""
    if field.socare.pseudonymise:
        well_formed = has_shape(text, schemes[field.socare.pseudonymise])
    elif field.name in contract.key_fields and field.type == "string":
        well_formed = ~text.rlike(_SCIENTIFIC_NOTATION)
    else:
        return []
    return [Rule("identifier_shape", field.name, ~well_formed)]


def _field_rules(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits, field_rules = field.name, field.constraints, []
    if field.socare.pseudonymise:
        if limits.required:
            person = field.output == "person"
            field_rules.append(
                Rule("person_missing" if person else "missing", name, value.isNull())
            )
    else:
        if limits.required:
            field_rules.append(Rule("missing", name, text.isNull()))
        if field.is_date:
            day = _parse_field_datetime(field, text) if field.socare.open_ended else value
            not_read = text.isNotNull() & day.isNull()
            # A time with an offset is never ambiguous.
            if field.socare.zone and any("%z" not in form for form in field.formats):
                ambiguous = _ambiguous_time(field, field.socare.zone, text)
                field_rules.append(Rule("ambiguous_time", name, not_read & ambiguous))
                not_read = not_read & ~ambiguous
            field_rules.append(Rule("date_format", name, not_read))
        elif field.type != "string":
            field_rules.append(Rule("type", name, text.isNotNull() & value.isNull()))
        elif field.socare.is_postcode:
            field_rules.append(Rule("pattern", name, text.isNotNull() & value.isNull()))
    return [*field_rules, *_constraint_rules(field, text, value)]


def _constraint_rules(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits = field.name, field.constraints
    conditions: list[tuple[str, Column]] = []
    if limits.enum:
        allowed = [F.lit(e).cast(_sql_type(field)) for e in limits.enum]
        conditions.append(("not_allowed", ~value.isin(*allowed)))
    if limits.pattern:
        conditions.append(("pattern", ~text.rlike(rf"\A(?:{limits.pattern})\z")))
    if limits.min_length is not None:
        conditions.append(("pattern", F.length(text) < limits.min_length))
    if limits.max_length is not None:
        conditions.append(("pattern", F.length(text) > limits.max_length))
    code = "date_range" if field.is_date else "not_allowed"
    value = local_time(field, value)
    if limits.minimum is not None:
        conditions.append((code, value < F.lit(limits.minimum).cast(_sql_type(field))))
    if limits.maximum is not None:
        conditions.append((code, value > F.lit(limits.maximum).cast(_sql_type(field))))
    return [Rule(code, name, broken) for code, broken in conditions]


def _sql_type(field: Field) -> str:
    return {"date": "date", "datetime": "timestamp", "integer": "bigint"}.get(
        field.type, "decimal(38,10)" if field.type == "number" else "string"
    )


def pack_failed_rules(all_rules: Sequence[Rule]) -> list[Column]:
    """Packs the numbers of the failed rules of a row as bits.

    Args:
        all_rules: The rules, in the order of their bits.

    Returns:
        One BIGINT column for each BITS_PER_WORD rules.
    """
    words = []
    for start in range(0, len(all_rules), BITS_PER_WORD):
        bits = [
            F.when(rule.failed, F.lit(1 << i).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
            for i, rule in enumerate(all_rules[start : start + BITS_PER_WORD])
        ]
        words.append(reduce(lambda a, b: a.bitwiseOR(b), bits))
    return words


def failed_rules(words: Sequence[int], names: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Unpacks the failed rules of a row.

    Args:
        words: The words of the row, as `pack_failed_rules` packs them.
        names: Reason code and column of each rule, in the order of their bits.

    Returns:
        Reason code and column of each rule that the row fails.
    """
    return [
        name for i, name in enumerate(names) if words[i // BITS_PER_WORD] >> (i % BITS_PER_WORD) & 1
    ]


def failed_rule_names(
    words: Sequence[Column], names: Sequence[tuple[str, str]]
) -> tuple[Column, Column]:
    """Spark version of `failed_rules`.

    Returns:
        Two arrays in the same order, reason codes and columns.
    """

    def texts_of_failed(texts: Iterable[str]) -> Column:
        bits = [
            words[i // BITS_PER_WORD].bitwiseAND(1 << (i % BITS_PER_WORD)) != 0
            for i in range(len(names))
        ]
        selected = [F.when(bit, F.lit(text)) for bit, text in zip(bits, texts, strict=True)]
        return F.array_compact(F.array(*selected))

    return (
        texts_of_failed(code for code, _ in names),
        texts_of_failed(column for _, column in names),
    )


def age(born: Column, at: Column, steps: Sequence[int] = ()) -> Column:
    """Age in completed years.

    A 29 February birthday counts from 1 March.

    Args:
        born: Day of birth.
        at: Day on which the age is taken.
        steps: Ages in ascending order. If given, the result is the highest step reached.

    Returns:
        The age; null before birth.
    """

    def day(value: Column) -> Column:
        return F.month(value) * 100 + F.dayofmonth(value)

    years = F.year(at) - F.year(born) - F.when(day(at) < day(born), 1).otherwise(0)
    result = years
    if steps:
        result = F.coalesce(*[F.when(years >= step, F.lit(step)) for step in reversed(steps)])
    return F.when(years >= 0, result).cast("int")
