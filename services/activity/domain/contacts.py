"""Who an activity is about: tags, and what a mail's sender becomes (section 9)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.person_names import names_from_display_name
from services.activity.domain.vocabulary import Tag

EXCLUSIVE = (Tag.ORIGINAL_REQUESTER, Tag.REQUESTER, Tag.SUBJECT, Tag.PRIMARY_CONTACT)
"""Tags that at most one contact of an activity holds (CT-3); the sender or first contact gets them all."""

PRIORITY = (Tag.PRIMARY_CONTACT, Tag.REQUESTER, Tag.SUBJECT, Tag.CC, Tag.ORIGINAL_REQUESTER)
"""Of several contacts with the same extra tag, who holds the first of these comes first (CT-17)."""


@dataclass(frozen=True, slots=True, order=True)
class Tagged:
    """A contact with one of its tags."""

    tag: Tag
    contact: UUID


def all_four(contact: UUID) -> tuple[Tagged, ...]:
    """What a known sender (CT-5), a first contact (CT-6) or the contact page's contact (CT-7) becomes."""
    return tuple(Tagged(tag, contact) for tag in EXCLUSIVE)


def going_on(
    sender: UUID | None, earlier: Iterable[Tagged], extra: Iterable[Tagged] = ()
) -> tuple[Tagged, ...]:
    """Who is who on an activity that a mail of `sender` opens; `earlier` are the tags of closed ones (IN-14).

    The sender gets all four tags, as on any other (CT-5), and the extra one of their own (CT-17). Nobody of
    the closed ones stays behind: who comes first there keeps a tag that is still free, and whom it leaves
    without any gets copies.
    """
    held = {tagged.tag: tagged for tagged in (all_four(sender) if sender else ())}
    earlier = tuple(earlier)
    for tagged in earlier:
        if tagged.tag in EXCLUSIVE:
            held.setdefault(tagged.tag, tagged)
    copies = {tagged for tagged in earlier if tagged.tag not in EXCLUSIVE}
    copies |= {tagged for tagged in extra if tagged.contact == sender and tagged.tag not in EXCLUSIVE}
    placed = {tagged.contact for tagged in (*held.values(), *copies)}
    copies |= {Tagged(Tag.CC, tagged.contact) for tagged in earlier if tagged.contact not in placed}
    return tuple(sorted({*held.values(), *copies}))


def holder_of(contacts: Iterable[Tagged], tag: Tag) -> UUID | None:
    """Who holds an exclusive tag."""
    return next((tagged.contact for tagged in contacts if tagged.tag is tag), None)


def holders_of(contacts: Iterable[Tagged], tag: Tag) -> tuple[UUID, ...]:
    """Who holds a tag, in a fixed order."""
    return tuple(sorted(tagged.contact for tagged in contacts if tagged.tag is tag))


@dataclass(frozen=True, slots=True)
class TagChange:
    """A tag given, or taken away."""

    tagged: Tagged
    removed: bool = False


def changes(
    contacts: frozenset[Tagged],
    *,
    given: Iterable[Tagged] = (),
    taken: Iterable[Tagged] = (),
    extra: Iterable[Tagged] = (),
) -> tuple[TagChange, ...]:
    """What changes when tags are taken and given, one holder per exclusive tag (CT-3, AMB-19).

    The first contact ever given any tag gets all four (CT-6); what is said explicitly wins over that. `extra`
    are the default tags of contacts (CT-17): who is put on the activity by this gets theirs, too.
    """
    given = tuple(given)
    wanted = frozenset(contacts) - frozenset(taken)
    if given and not contacts:
        wanted = frozenset(all_four(given[0].contact))
    for tagged in given:
        wanted = _giving(wanted, tagged)
    wanted = _with_extra(wanted, contacts, given, tuple(extra))
    # Removals stand in front, so that no reader of the history ever sees a tag with two holders.
    return (
        *(TagChange(tagged, removed=True) for tagged in sorted(contacts - wanted)),
        *(TagChange(tagged) for tagged in sorted(wanted - contacts)),
    )


def _giving(contacts: frozenset[Tagged], tagged: Tagged) -> frozenset[Tagged]:
    if tagged.tag in EXCLUSIVE:
        contacts = frozenset(held for held in contacts if held.tag is not tagged.tag)
    return contacts | {tagged}


def _with_extra(
    wanted: frozenset[Tagged],
    before: frozenset[Tagged],
    given: tuple[Tagged, ...],
    extra: tuple[Tagged, ...],
) -> frozenset[Tagged]:
    """The tags that newcomers bring along; what the same step gives to somebody is theirs (CT-17)."""
    known, explicit = {each.contact for each in before}, {each.tag for each in given}
    present = {each.contact for each in wanted}
    newcomers = {each.contact for each in given} & present - known
    for tag in dict.fromkeys(each.tag for each in extra if each.contact in newcomers):
        claim = sorted({each.contact for each in extra if each.tag is tag and each.contact in present})
        if tag not in EXCLUSIVE:
            wanted |= {Tagged(tag, contact) for contact in claim if contact in newcomers}
        elif tag not in explicit:
            wanted = _giving(wanted, Tagged(tag, min(claim, key=lambda each: _rank(wanted, each, tag))))
    return wanted


def _rank(contacts: frozenset[Tagged], contact: UUID, but: Tag) -> int:
    held = {each.tag for each in contacts if each.contact == contact} - {but}
    return min((PRIORITY.index(tag) for tag in held), default=len(PRIORITY))


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to be made; the system makes it, so it is flagged auto-created (CT-16).

    `company` is None for a global one (CT-10).
    """

    address: str
    first_name: str
    last_name: str
    company: str | None = None


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact that exists; `company` is None for a global one (CT-10)."""

    id: UUID
    company: str | None = None

    def may_be_on(self, companies: Collection[str]) -> bool:
        """Whether it can be attached to an activity; `companies` are the activity's and its parents."""
        return self.company is None or self.company in companies


def contact_of_sender(
    known: KnownContact | None,
    address: str,
    display_name: str,
    *,
    companies: Collection[str],
    automatic_contacts: bool,
    local_to: str | None = None,
) -> UUID | NewContact | None:
    """The contact that the sender of an opening mail is; it gets all four tags (CT-5).

    `companies` are the activity's company and its parents: a contact local to another one is not attached,
    and no second one made for its address (CT-11, CT-15, AMB-20). An unknown sender becomes a contact if
    the organisation wants that, local to `local_to` if that is the scope, and otherwise the activity is
    opened without one (CT-12). `address` is empty for a mail that names no sender.
    """
    if known:
        return known.id if known.may_be_on(companies) else None
    if not automatic_contacts or not address or (local_to is not None and local_to not in companies):
        return None
    return NewContact(address, *names_from_display_name(display_name), local_to)
