"""Rows that the tables of several kinds share: what may be done whatever an activity's status."""

from typing import Any

from services.activity.domain.contact_effects import erase_contact, exchange_contact
from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.effects import (
    add_note,
    flag_new_information,
    mark_information,
    report_delivery,
    request_reply,
)
from services.activity.domain.file_effects import add_file, edit_file, remove_file
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.guards import held_by_nobody_else
from services.activity.domain.holders import the_same
from services.activity.domain.link_effects import (
    ask_for_new,
    link,
    mark_departure,
    share_mail,
    take_shared_mail,
    unlink,
)
from services.activity.domain.link_steps import (
    LinkWith,
    MarkDeparture,
    ShareMail,
    StartNew,
    TakeSharedMail,
    Unlink,
)
from services.activity.domain.states import State
from services.activity.domain.steps import AddNote, MailReported, MarkInformation, SendMail
from services.activity.domain.transitions import Transition

Rows = tuple[Transition[Any], ...]


# fmt: off
def communicating(open_: tuple[State, ...]) -> Rows:
    """Notes and mails of whatever is open, and what becomes of them when it is closed, too."""
    return (
        Transition("ST-22", open_, AddNote, effects=(add_note,), person=the_same),
        Transition("ST-22", open_, SendMail, effects=(request_reply,), person=the_same),
        Transition("ST-25", open_, MarkInformation, effects=(mark_information,), person=the_same),
        Transition("CE-3", open_, StartNew, effects=(ask_for_new,), person=the_same),
        Transition("CT-21", open_, EraseContact, effects=(erase_contact,), person=the_same),
        # What was asked for comes also if it was closed meanwhile, and word of our own mails.
        Transition("CE-7", (*open_, State.CLOSED), MarkDeparture, effects=(mark_departure,), person=the_same),
        Transition("NT-14", (*open_, State.CLOSED), MailReported, effects=(report_delivery,),
                   person=the_same),
    )


def carrying(open_: tuple[State, ...]) -> Rows:
    """Links, shared mails, contacts and files: an Action has those of its Case (LK-1)."""
    return (
        Transition("LK-3", open_, LinkWith, effects=(link,), person=the_same),
        Transition("LK-3", open_, Unlink, effects=(unlink,), person=the_same),
        Transition("SH-1", open_, ShareMail, effects=(share_mail,), person=the_same),
        Transition("SH-1", open_, TakeSharedMail, effects=(take_shared_mail, flag_new_information),
                   person=the_same),
        Transition("CT-20", open_, ExchangeContact, effects=(exchange_contact,), person=the_same),
        Transition("NT-15", open_, AddFile, effects=(add_file,), person=the_same),
        Transition("NT-16", open_, EditFile, guards=(held_by_nobody_else,), effects=(edit_file,),
                   person=the_same),
        Transition("NT-20", open_, RemoveFile, guards=(held_by_nobody_else,), effects=(remove_file,),
                   person=the_same),
    )
# fmt: on
