"""Persons of the old system, with their ids and names, whether they have faces or not."""

from collections.abc import Sequence

from django.db import transaction

from chitra.legacy import cases, plan
from chitra.legacy.cases import Ending
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.outcomes import outcome, save_outcomes
from chitra.legacy.plan import People
from chitra.legacy.rows import PersonRow
from faces.models import Person
from faces.people import MAX_NAME_CHARACTERS, PeopleError, clean_person_name, lock_people


def migrate_persons(system: LegacySystem, rows: Sequence[PersonRow]) -> None:
    """Every person not done yet, in one transaction."""
    with transaction.atomic():
        lock_people(system.library_id)
        done = set(
            Outcome.objects.filter(system=system, kind=Kind.PERSONS)
            .ended()
            .values_list("source_key", flat=True)
        )
        save_outcomes([migrate_person(system, row) for row in rows if str(row.id) not in done])


def migrate_person(system: LegacySystem, row: PersonRow) -> Outcome:
    name = name_of(row.name)
    known = Person.objects.filter(library=system.library, name=name).first() if name else None
    if known is not None:
        return outcome(system, Kind.PERSONS, row.id, cases.duplicate("same_name"), known.pk)
    is_free = row.id > 0 and not Person.objects.filter(pk=row.id).exists()
    person = Person.objects.create(pk=row.id if is_free else None, library=system.library, name=name)
    return outcome(system, Kind.PERSONS, row.id, ending(row, name, is_free), person.pk)


def ending(row: PersonRow, name: str, is_free: bool) -> Ending:
    if name != row.name:
        return cases.imported("name_changed", row.name)
    return cases.IMPORTED if is_free else cases.imported("new_id")


def name_of(name: str) -> str:
    """The name as Chitra keeps names; "" when nothing readable is left, an unnamed person then."""
    try:
        return clean_person_name(name)
    except PeopleError as error:
        if error.code != "name_too_long":
            return ""
        return clean_person_name(" ".join(name.split())[:MAX_NAME_CHARACTERS])


def load_people(system: LegacySystem, rows: Sequence[PersonRow]) -> People:
    """Ids here by old id, and which of them people named."""
    outcomes = Outcome.objects.filter(system=system, kind=Kind.PERSONS, target_id__isnull=False)
    targets = {int(key): target for key, target in outcomes.values_list("source_key", "target_id")}
    alive = set(Person.objects.filter(pk__in=targets.values()).values_list("pk", flat=True))
    return People(
        ids={old: new for old, new in targets.items() if new in alive},
        named={row.id for row in rows if plan.is_name_by_people(row.name)},
    )
