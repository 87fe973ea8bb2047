"""From cells to typed values, and every reason why a row cannot be kept.

A rule is a condition on a row with a reason code and the column it concerns. Rules are numbered;
a row carries the numbers of the rules it breaks as bits, so that checking costs no strings, and a
row may break any number of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract, Field, postcode_letters
from socare_spark.contracts.project import Scheme
from socare_spark.ingest.blanks import strip_whitespace
from socare_spark.ingest.pseudonym import has_shape

BITS = 60
_FIXED = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_UNPADDED = ("%m", "%d", "%H", "%M", "%S", "%I")
_MONTHS = "January February March April May June July August September October November December"
_DIRECTIVES = {
    "%Y": "[0-9]{4}", "%y": "[0-9]{2}", "%j": "[0-9]{3}", "%f": "[0-9]{1,6}", "%p": "[AaPp][Mm]",
    "%b": "(?i:" + "|".join(m[:3] for m in _MONTHS.split()) + ")",
    "%B": "(?i:" + "|".join(_MONTHS.split()) + ")",
    "%z": "Z|[+-][0-9]{2}:?[0-9]{2}",
    **dict.fromkeys(_UNPADDED, "[0-9]{2}"),
}  # fmt: skip
_FIXED_SHAPE = {part: f"[0-9]{{{size}}}" for part, size in _FIXED.items()}
# Letters by position as Royal Mail assigns them.
_POSTCODE = (
    "^([A-PR-UWYZ][0-9][0-9ABCDEFGHJKPSTUW]?|"
    "[A-PR-UWYZ][A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) [0-9][ABD-HJLNP-UW-Z]{2}$"
)
_E_NOTATION = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$"
_WIDEST_MONEY = "decimal(12,2)"


@dataclass(frozen=True)
class Rule:
    """A condition under which a row cannot be kept."""

    code: str
    column: str
    failed: Column


def clean_cell(cell: Column, missing: Sequence[str], *, spaces_only: bool = False) -> Column:
    """A cell without blanks around it; null where it is one of the values that mean nothing."""
    text = strip_whitespace(cell, spaces_only=spaces_only)
    nothing = sorted({"", *missing})
    return F.when(~text.isin(nothing), text)


def convert(field: Field, text: Column) -> Column:
    """The value of a cleaned cell; null where it cannot be read. Person identifiers stay text."""
    if field.socare.pseudonymise:
        return text
    if field.socare.is_postcode:
        return _place(field, text)
    if field.is_date:
        day = _parse_field_datetime(field, text)
        opens = field.socare.open_ended
        return F.when(~day.cast("date").isin(*opens), day) if opens else day
    if field.type == "integer":
        return _number(field, text, "bigint")
    if field.type == "number":
        return _number(field, text, _WIDEST_MONEY)
    return text


def _number(field: Field, text: Column, target: str) -> Column:
    """A number as most are written, or else with group marks, currency and brackets as declared.

    Digits that the type has no room for make it no number.
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
    usual = F.when(text.rlike(plain), text.try_cast(target)) if field.decimal_char == "." else None
    others = [_written(field, text, form, target) for form in forms]
    return F.coalesce(*([] if usual is None else [usual]), *others)


def _written(field: Field, text: Column, form: str, target: str) -> Column:
    """A number in a form with two groups: its sign and its digits."""
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
    return F.coalesce(*[parse_datetime(text, form, field.type) for form in field.formats])


def parse_datetime(text: Column, form: str, type_: str) -> Column:
    """A date or time in one strptime format; null where the text is not in it or names no day.

    Cells of the usual width are cut and cast, which costs least; they are cut by bytes, since
    characters would have to be counted from the first on. Others are matched.
    """
    target = "date" if type_ == "date" else "timestamp"
    parts = re.findall(r"%[A-Za-z]|[^%]", form)
    matched = _matched(text, parts, target)
    if any(p.startswith("%") and p not in _FIXED for p in parts) or not form.isascii():
        return matched
    at, where = 1, {}
    shape = "".join(_FIXED_SHAPE.get(p) or re.escape(p) for p in parts)
    for part in parts:
        size = _FIXED.get(part, 1)
        where[part] = F.substring(text.cast("binary"), at, size).cast("string")
        at += size
    fixed = F.when(text.rlike(f"^{shape}$"), _assemble_datetime(where, target))
    return F.coalesce(fixed, matched)


def _matched(text: Column, parts: Sequence[str], target: str) -> Column:
    """A date whose parts need not be padded, or are of no fixed width."""
    pattern = "^"
    for i, part in enumerate(parts):
        beside = [*parts[max(i - 1, 0) : i], *parts[i + 1 : i + 2]]
        alone = not any(p.startswith("%") or p.isdigit() for p in beside)
        known = "[0-9]{1,2}" if part in _UNPADDED and alone else _DIRECTIVES.get(part)
        pattern += f"({known})" if known else re.escape(part)
    pattern += "$"
    named = [p for p in parts if p.startswith("%")]
    where = {p: F.regexp_extract(text, pattern, i) for i, p in enumerate(named, 1)}
    return F.when(text.rlike(pattern), _assemble_datetime(where, target))


def _assemble_datetime(where: Mapping[str, Column], target: str) -> Column:
    """A date from the texts of its parts; null where there is no such day or time."""
    year = where.get("%Y")
    if year is None:
        # As POSIX has it: 69 to 99 are of the last century.
        short = where["%y"]
        year = F.concat(F.when(short >= "69", "19").otherwise("20"), short)
    day = F.concat_ws("-", year, _month(where), where.get("%d", F.lit("01")))
    if "%j" in where:
        days = where["%j"].cast("int")
        made = F.date_add(F.concat(year, F.lit("-01-01")).try_cast("date"), days - 1)
        day = F.when((days > 0) & (F.year(made) == year.cast("int")), made.cast("string"))
    day = F.when(year != "0000", day)
    if target == "date":
        return day.try_cast("date")
    seconds = F.concat_ws(".", where.get("%S", F.lit("00")), where.get("%f", F.lit("0")))
    time = F.concat_ws(":", _hour(where), where.get("%M", F.lit("00")), seconds)
    offset = F.regexp_replace(where.get("%z", F.lit("Z")), "^(...)([0-9]{2})$", "$1:$2")
    return F.concat(day, F.lit(" "), time, offset).try_cast("timestamp")


def _month(where: Mapping[str, Column]) -> Column:
    name = where.get("%b", where.get("%B"))
    if name is None:
        return where.get("%m", F.lit("01"))
    months = [m[:3].lower() for m in _MONTHS.split()]
    at = F.array_position(F.lit(months), F.lower(F.substring(name, 1, 3)))
    return at.cast("string")


def _hour(where: Mapping[str, Column]) -> Column:
    if "%I" not in where:
        return where.get("%H", F.lit("00"))
    hour = where["%I"].cast("int")
    late = F.when(F.lower(where.get("%p", F.lit("am"))) == "pm", 12).otherwise(0)
    return F.when(hour.between(1, 12), (hour % 12 + late).cast("string"))


def is_unit(postcode_: Column) -> Column:
    """Whether a value is a unit postcode, and not a declared text instead of one."""
    return postcode_.rlike(_POSTCODE)


def _place(field: Field, text: Column) -> Column:
    """A unit postcode, or the declared text of a value that is no place.

    A unit postcode is one although the beginning of a text with `*` is its own.
    """
    unit = found = postcode(text)
    bare = _letters(text)
    for entry in field.socare.no_place:
        begins = bare.startswith(postcode_letters(entry)) & unit.isNull()
        fits = begins if entry.rstrip().endswith("*") else bare == postcode_letters(entry)
        found = F.when(fits, F.lit(entry.rstrip("* "))).otherwise(found)
    return found


def _letters(text: Column) -> Column:
    return F.regexp_replace(F.upper(text), "[^A-Z0-9]", "")


def postcode(text: Column) -> Column:
    """A unit postcode as `B1 1AA`: upper case, one blank, O and I read as digits where one stands.

    Null where the text has another shape.
    """
    bare = _letters(text)
    size = F.length(bare)
    sector = F.translate(bare.substr(size - 2, F.lit(1)), "OIL", "011")
    whole = F.concat(
        bare.substr(F.lit(1), size - 3), F.lit(" "), sector, bare.substr(size - 1, F.lit(2))
    )
    mended = F.when(size.between(5, 7) & whole.rlike(_POSTCODE), whole)
    return F.when(text.rlike(_POSTCODE), text).otherwise(mended)


def rules(
    contract: Contract,
    texts: Mapping[str, Column],
    values: Mapping[str, Column],
    as_of: Column,
    malformed: Column,
    *,
    schemes: Mapping[str, Scheme],
) -> list[Rule]:
    """All rules of a contract.

    Args:
        contract: The contract.
        texts: Cleaned cell of each field; of an identifier its normalised text.
        values: Typed value of each field; for an identifier its normalised text.
        as_of: The extract's day.
        malformed: Whether the row has too many or too few cells.
        schemes: How identifiers of each scheme are spelled.
    """
    found = [Rule("row_shape", "", malformed)]
    for field in contract.fields:
        text, value = texts[field.name], values[field.name]
        found += _identifier_rules(contract, field, schemes, text)
        found += _field_rules(field, text, value)
    for order in contract.socare.date_order:
        broken = values[order.then] < values[order.first]
        found.append(Rule("date_order", order.then, broken))
    for name in contract.socare.not_after_extract:
        day = values[name].cast("date")
        broken = (day > as_of) | (day < F.lit(contract.socare.earliest))
        found.append(Rule("date_range", name, broken))
    # A row whose cells cannot be told apart says nothing else.
    return [found[0], *(Rule(r.code, r.column, ~malformed & r.failed) for r in found[1:])]


def _identifier_rules(
    contract: Contract, field: Field, schemes: Mapping[str, Scheme], text: Column
) -> list[Rule]:
    """Identifiers that a spreadsheet or a program has changed, so that they identify nothing."""
    if field.socare.pseudonymise:
        shaped = has_shape(text, schemes[field.socare.pseudonymise])
    elif field.name in contract.schema_.primary_key and field.type == "string":
        shaped = ~text.rlike(_E_NOTATION)
    else:
        return []
    return [Rule("identifier_shape", field.name, ~shaped)]


def _field_rules(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits, found = field.name, field.constraints, []
    if field.socare.pseudonymise:
        if limits.required:
            person = field.output == "person"
            found.append(Rule("person_missing" if person else "missing", name, value.isNull()))
    else:
        if limits.required:
            found.append(Rule("missing", name, text.isNull()))
        if field.is_date:
            day = _parse_field_datetime(field, text) if field.socare.open_ended else value
            found.append(Rule("date_format", name, text.isNotNull() & day.isNull()))
        elif field.type != "string":
            found.append(Rule("type", name, text.isNotNull() & value.isNull()))
        elif field.socare.is_postcode:
            found.append(Rule("pattern", name, text.isNotNull() & value.isNull()))
    return [*found, *_limits(field, text, value)]


def _limits(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits = field.name, field.constraints
    found: list[tuple[str, Column]] = []
    if limits.enum:
        allowed = [F.lit(e).cast(_literal(field)) for e in limits.enum]
        found.append(("not_allowed", ~value.isin(*allowed)))
    if limits.pattern:
        found.append(("pattern", ~text.rlike(rf"\A(?:{limits.pattern})\z")))
    if limits.min_length is not None:
        found.append(("pattern", F.length(text) < limits.min_length))
    if limits.max_length is not None:
        found.append(("pattern", F.length(text) > limits.max_length))
    code = "date_range" if field.is_date else "not_allowed"
    if limits.minimum is not None:
        found.append((code, value < F.lit(limits.minimum).cast(_literal(field))))
    if limits.maximum is not None:
        found.append((code, value > F.lit(limits.maximum).cast(_literal(field))))
    return [Rule(code, name, broken) for code, broken in found]


def _literal(field: Field) -> str:
    return {"date": "date", "datetime": "timestamp", "integer": "bigint"}.get(
        field.type, "decimal(38,10)" if field.type == "number" else "string"
    )


def pack_failed_rules(found: Sequence[Rule]) -> list[Column]:
    """The numbers of the broken rules as bits, in as many BIGINTs as that takes."""
    words = []
    for start in range(0, len(found), BITS):
        bits = [
            F.when(rule.failed, F.lit(1 << i).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
            for i, rule in enumerate(found[start : start + BITS])
        ]
        words.append(reduce(lambda a, b: a.bitwiseOR(b), bits))
    return words


def failed_rules(words: Sequence[int], found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Reason code and column of each rule a row breaks, from its bits."""
    return [named for i, named in enumerate(found) if words[i // BITS] >> (i % BITS) & 1]


def failed_rule_names(
    words: Sequence[Column], found: Sequence[tuple[str, str]]
) -> tuple[Column, Column]:
    """What `failed_rules` finds, as two arrays in one order: reason codes, and columns."""

    def each(texts: Iterable[str]) -> Column:
        bits = [words[i // BITS].bitwiseAND(1 << (i % BITS)) != 0 for i in range(len(found))]
        named = [F.when(bit, F.lit(text)) for bit, text in zip(bits, texts, strict=True)]
        return F.array_compact(F.array(*named))

    return each(code for code, _ in found), each(column for _, column in found)


def age(born: Column, at: Column, steps: Sequence[int] = ()) -> Column:
    """Age in completed years, or the highest of some steps that it reaches. Null before birth.

    A birthday of 29 February counts from 1 March.
    """

    def day(value: Column) -> Column:
        return F.month(value) * 100 + F.dayofmonth(value)

    years = F.year(at) - F.year(born) - F.when(day(at) < day(born), 1).otherwise(0)
    kept = years
    if steps:
        kept = F.coalesce(*[F.when(years >= step, F.lit(step)) for step in reversed(steps)])
    return F.when(years >= 0, kept).cast("int")
