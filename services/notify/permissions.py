"""Who may do what in notify: one table for the endpoints (design §7)."""

from shared.permissions import Need, Rules

ENDPOINTS: Rules = {
    "GET /v1/outgoing-mails": Need.OPERATOR,
    "GET /v1/outgoing-mails/{mail}": Need.OPERATOR,
    "POST /v1/outgoing-mails/{mail}/retry": Need.OPERATOR,
    "POST /v1/outgoing-mails/{mail}/cancel": Need.OPERATOR,
}
"""What each endpoint asks of its caller."""
