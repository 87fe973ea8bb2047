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

from socare_spark.contracts.project import Scheme
from socare_spark.contracts.resource import Contract, Field
from socare_spark.errors import ConfigurationError
from socare_spark.intake.blanks import stripped
from socare_spark.intake.pseudonym import shapely

BITS = 60
_DIRECTIVES = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_JAVA = {
    "%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%I": "hh",
    "%p": "a", "%b": "MMM", "%B": "MMMM", "%y": "yy", "%f": "SSSSSS", "%j": "DDD",
}  # fmt: skip
_POSTCODE = r"^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$"
_E_NOTATION = r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$"
_WIDEST_MONEY = "decimal(12,2)"


@dataclass(frozen=True)
class Rule:
    """A condition under which a row cannot be kept."""

    code: str
    column: str
    broken: Column


def cleaned(cell: Column, missing: Sequence[str], *, spaces_only: bool = False) -> Column:
    """A cell without blanks around it; null where it is one of the values that mean nothing."""
    text = stripped(cell, spaces_only=spaces_only)
    nothing = sorted({"", *missing})
    return F.when(~text.isin(nothing), text)


def typed(field: Field, text: Column) -> Column:
    """The value of a cleaned cell; null where it cannot be read. Person identifiers stay text."""
    if field.socare.pseudonymise:
        return text
    if field.socare.is_postcode:
        return postcode(text)
    if field.type in ("date", "datetime"):
        return F.coalesce(*[moment(text, form, field.type) for form in field.formats])
    if field.type == "integer":
        return _number(field, text, "bigint")
    if field.type == "number":
        return _number(field, text, _WIDEST_MONEY)
    return text


def _number(field: Field, text: Column, target: str) -> Column:
    """A number as most are written, or else without its groups' marks and its unit."""
    bare = text
    if field.group_char:
        bare = F.translate(bare, field.group_char, "")
    if not field.bare_number:
        bare = F.regexp_replace(bare, r"^[£$€\s]+|[£$€\s]+$", "")
    return F.coalesce(text.try_cast(target), bare.try_cast(target))


def moment(text: Column, form: str, type_: str) -> Column:
    """A date or time in one strptime format; null where the text is not in it or names no day.

    Formats of fixed width are cut and cast, which costs a tenth of Spark's formatter; they are cut
    by bytes, since characters would have to be counted from the first on.
    """
    target = "date" if type_ == "date" else "timestamp"
    parts = re.findall(r"%[A-Za-z]|[^%]", form)
    if any(p.startswith("%") and p not in _JAVA for p in parts):
        raise ConfigurationError(
            f"The date format {form} holds a directive that is not known: allowed are "
            f"{' '.join(_JAVA)}."
        )
    if any(p.startswith("%") and p not in _DIRECTIVES for p in parts):
        java = "".join(_JAVA.get(p, p if not p.isalpha() else f"'{p}'") for p in parts)
        return F.try_to_timestamp(text, F.lit(java)).cast(target)
    at, where, marks, raw = 1, {}, [], text.cast("binary")
    for part in parts:
        size = _DIRECTIVES.get(part) or len(part.encode())
        piece = F.substring(raw, at, size)
        if part in _DIRECTIVES:
            where[part] = piece.cast("string")
        else:
            marks.append(piece == F.lit(part).cast("binary"))
        at += size
    right = reduce(lambda a, b: a & b, marks, F.octet_length(text) == at - 1)
    if form == "%Y-%m-%d":
        return F.when(right, text.try_cast(target))
    day = [where.get(p, F.lit("01")) for p in ("%Y", "%m", "%d")]
    time = [where.get(p, F.lit("00")) for p in ("%H", "%M", "%S")]
    written = F.concat_ws("-", *day)
    if target == "timestamp":
        written = F.concat(written, F.lit(" "), F.concat_ws(":", *time))
    return F.when(right, written.try_cast(target))


def postcode(text: Column) -> Column:
    """A unit postcode as `B1 1AA`: upper case, one blank, O and I read as digits where one stands.

    Null where the text has another shape.
    """
    bare = F.regexp_replace(F.upper(text), "[^A-Z0-9]", "")
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
    shapeless: Column,
    *,
    schemes: Mapping[str, Scheme],
) -> list[Rule]:
    """All rules of a contract.

    Args:
        contract: The contract.
        texts: Cleaned cell of each field; of an identifier its normalised text.
        values: Typed value of each field; for an identifier its normalised text.
        as_of: The extract's day.
        shapeless: Whether the row has too many or too few cells.
        schemes: How identifiers of each scheme are spelled.
    """
    found = [Rule("row_shape", "", shapeless)]
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
    return [found[0], *(Rule(r.code, r.column, ~shapeless & r.broken) for r in found[1:])]


def _identifier_rules(
    contract: Contract, field: Field, schemes: Mapping[str, Scheme], text: Column
) -> list[Rule]:
    """Identifiers that a spreadsheet or a program has changed, so that they identify nothing."""
    if field.socare.pseudonymise:
        shaped = shapely(text, schemes[field.socare.pseudonymise])
    elif field.name in contract.schema_.primary_key and field.type == "string":
        shaped = ~text.rlike(_E_NOTATION)
    else:
        return []
    return [Rule("identifier_shape", field.name, ~shaped)]


def _field_rules(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits, found = field.name, field.constraints, []
    if field.socare.drop:
        return []
    if field.socare.pseudonymise:
        if limits.required:
            person = field.output == "person"
            found.append(Rule("person_missing" if person else "missing", name, value.isNull()))
    else:
        if limits.required:
            found.append(Rule("missing", name, text.isNull()))
        if field.type in ("date", "datetime"):
            found.append(Rule("date_format", name, text.isNotNull() & value.isNull()))
        elif field.type != "string":
            found.append(Rule("type", name, text.isNotNull() & value.isNull()))
        elif field.socare.is_postcode:
            found.append(Rule("pattern", name, text.isNotNull() & value.isNull()))
    return [*found, *_limits(field, text, value)]


def _limits(field: Field, text: Column, value: Column) -> list[Rule]:
    name, limits = field.name, field.constraints
    found: list[tuple[str, Column]] = []
    if limits.enum:
        found.append(("not_allowed", ~text.isin(*limits.enum)))
    if limits.pattern:
        found.append(("pattern", ~text.rlike(f"^(?:{limits.pattern})$")))
    if limits.min_length is not None:
        found.append(("pattern", F.length(text) < limits.min_length))
    if limits.max_length is not None:
        found.append(("pattern", F.length(text) > limits.max_length))
    code = "date_range" if field.type in ("date", "datetime") else "not_allowed"
    if limits.minimum is not None:
        found.append((code, value < F.lit(limits.minimum).cast(_literal(field))))
    if limits.maximum is not None:
        found.append((code, value > F.lit(limits.maximum).cast(_literal(field))))
    return [Rule(code, name, broken) for code, broken in found]


def _literal(field: Field) -> str:
    return {"date": "date", "datetime": "timestamp", "integer": "bigint"}.get(
        field.type, "decimal(38,10)" if field.type == "number" else "string"
    )


def mask(found: Sequence[Rule]) -> list[Column]:
    """The numbers of the broken rules as bits, in as many BIGINTs as that takes."""
    words = []
    for start in range(0, len(found), BITS):
        bits = [
            F.when(rule.broken, F.lit(1 << i).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
            for i, rule in enumerate(found[start : start + BITS])
        ]
        words.append(reduce(lambda a, b: a.bitwiseOR(b), bits))
    return words


def broken(words: Sequence[int], found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Reason code and column of each rule a row breaks, from its bits."""
    return [named for i, named in enumerate(found) if words[i // BITS] >> (i % BITS) & 1]


def broken_names(
    words: Sequence[Column], found: Sequence[tuple[str, str]]
) -> tuple[Column, Column]:
    """What `broken` finds, as two arrays in one order: reason codes, and columns."""

    def each(texts: Iterable[str]) -> Column:
        bits = [words[i // BITS].bitwiseAND(1 << (i % BITS)) != 0 for i in range(len(found))]
        named = [F.when(bit, F.lit(text)) for bit, text in zip(bits, texts, strict=True)]
        return F.array_compact(F.array(*named))

    return each(code for code, _ in found), each(column for _, column in found)


def age(born: Column, at: Column) -> Column:
    """Whole years; who was born on 29 February is a year older on 1 March. Null before birth."""

    def day(value: Column) -> Column:
        return F.month(value) * 100 + F.dayofmonth(value)

    years = F.year(at) - F.year(born) - F.when(day(at) < day(born), 1).otherwise(0)
    return F.when(years >= 0, years).cast("int")
