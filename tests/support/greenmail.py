"""What lies in GreenMail's mailboxes, over its HTTP."""

from email import message_from_string, policy
from email.message import EmailMessage

import httpx

from deploy.local.endpoints import Endpoints


async def mails_of(stack: Endpoints, address: str) -> list[EmailMessage]:
    """The mails in the inbox of `address`, the oldest first; none if it has no mailbox yet."""
    async with httpx.AsyncClient(base_url=stack.greenmail_api, trust_env=False) as greenmail:
        answer = await greenmail.get(f"/api/user/{address}/messages/INBOX")
    if answer.status_code != httpx.codes.OK:
        return []
    mails = []
    for row in answer.json():
        message = message_from_string(row["mimeMessage"], policy=policy.default)
        assert isinstance(message, EmailMessage)
        mails.append(message)
    return mails
