"""Who may do what in ingest: one table for the endpoints (design §7, UH-5)."""

from shared.permissions import Need, Rules

ENDPOINTS: Rules = {
    "GET /v1/unhandled-mails": Need.MAILBOX,
    "POST /v1/unhandled-mails/{id}/retry": Need.MAILBOX,
    "GET /v1/mails/{id}": Need.MAILBOX,
    "GET /v1/mails/{id}/raw": Need.MAILBOX,
    "GET /v1/mailboxes": Need.MAILBOX,
}
"""What each endpoint asks of its caller."""
