"""The key of a draft, with the decisions on it."""

from collections import Counter
from collections.abc import Iterator

from socare_spark.contracts.contract import NO_KEY
from socare_spark.onboarding.column_facts import Role
from socare_spark.onboarding.dataset import PERSON_ROLES, Dataset
from socare_spark.onboarding.proposal import Proposal
from socare_spark.onboarding.yaml_lines import DECIDE, comment_lines, flow
from socare_spark.plurals import counted

_KEY_ROLES = (Role.RECORD, Role.PERSON, Role.NHS, Role.AREA, Role.OTHER_ID)
_LOST_ROLES = (Role.RARE, Role.BIRTH, Role.FREE_TEXT, Role.NAME)


def find_key(dataset: Dataset) -> tuple[str, ...]:
    """The proposed key: columns that include an identifier of a record, a person or an area."""
    columns = {column.name: column for column in dataset.columns}
    for key in dataset.common_keys:
        parts = [columns[name] for name in key]
        usable = all(c.is_complete and c.role not in _LOST_ROLES for c in parts)
        valid = all(c.role is not Role.POSTCODE or not c.invalid_postcodes for c in parts)
        if usable and valid and any(c.role in _KEY_ROLES for c in parts):
            return key
    return ()


def key_lines(proposal: Proposal) -> Iterator[str]:
    """The lines of the key `primaryKey` of a draft."""
    dataset = proposal.dataset
    if proposal.key:
        several = len(dataset.tables) > 1
        if several:
            yield from comment_lines(
                f"{DECIDE}: a record of a newer file replaces the record of an older file with "
                "the same key. If each file is a whole copy of its system, declare "
                "socare.snapshots: true; the newest file counts. If each file has the records of "
                "its own period and all files count, add extract to primaryKey.",
                "  ",
            )
        if dataset.is_sampled:
            rows = counted(sum(table.sampled for table in dataset.tables.values()), "row")
            yield from comment_lines(
                f"{DECIDE}: the key was found in the first {rows}, and can repeat in the later "
                "ones. ingest reports keys that repeat.",
                "  ",
            )
        parts = [column for column in dataset.columns if column.name in proposal.key]
        if all(column.role in PERSON_ROLES for column in parts):
            yield from comment_lines(
                f"{DECIDE}: the key is a person, so a later record of a person replaces the "
                "earlier one. Add a column, such as a date, if a person can have several records.",
                "  ",
            )
        yield f"  primaryKey: {flow(list(proposal.key))}"
        return
    repeats = sum(keys.repeats for keys in dataset.keys.values())
    total = sum(table.sampled for table in dataset.tables.values())
    nearest = Counter(keys.nearest for keys in dataset.keys.values() if keys.nearest)
    found = "No column and no pair of columns is a key."
    if nearest and repeats:
        name = nearest.most_common(1)[0][0]
        found += f" {name} repeats in {repeats / max(total, 1):.1%} of the rows."
    yield from comment_lines(
        f"{DECIDE}: {found} Without a key every row counts, and the files must not overlap. "
        "Declare the columns that identify a record if there are some.",
        "  ",
    )
    yield f"  primaryKey: {NO_KEY}"
