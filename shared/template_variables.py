"""What the templates of automatic mail may say, for who writes, checks and renders them."""

LINK = "link"
"""Where an approver answers: of the mails of approvals alone (A25)."""

AUTOMATIC_VARIABLES = frozenset(
    {"reference", "process", "company", "service", "queue", "mailbox", "address", "waited", "tickets", "case"}
    | {LINK}
)
"""What a template may say: what we know ourselves, and nothing that its recipient wrote.

Acknowledgements go to whatever address a mail claims to be from. If they repeated its subject, text or
sender's name, anybody could send their words to anybody in our name (AMB-37).
"""
