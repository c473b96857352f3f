"""What the fields mean that tie activities to each other (`meanings.py`)."""

LINKS = {
    "TicketMailCopied.from_activity": "id of the activity that it was opened from",
    "TicketMailShared.received": "true where the mail came from the other, false where it went there",
    "with_references": "references of the other Tickets, fifty at most",
    "linked_to": "the Ticket that it is opened from, and linked with",
    "copies": "what of that Ticket it begins with, as it is then",
    "MailReceived.reinjected_for": "activity that it was appended to wrongly: now it opens a new one",
    "MailReinject.activity": "activity that the mail was appended to wrongly",
    "MailNotReinjected.activity": "activity that the mail was appended to wrongly",
    "MailReinject.mailbox": "mailbox whose routes lead to the new activity",
    "why": "why there is no new activity, as a word to rely on",
    "TicketDepartureMarked.state": "how far it is: asked for, there, or not to be had",
    "TicketDepartureMarked.with_activity": "id of the new activity",
    "TicketDepartureMarked.with_reference": "reference of the new activity",
    "opened": "the new activity that came of it, once there is one",
}
