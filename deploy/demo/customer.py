"""A customer with a mail client of their own: knows SMTP and IMAP, and nothing of Mailroom."""

import email.policy
import imaplib
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formatdate, make_msgid

from deploy.demo.waiting import eventually
from deploy.local.endpoints import Address

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003"
    "010100c9fe92ef0000000049454e44ae426082"
)


@dataclass(frozen=True)
class Customer:
    """Somebody with a mailbox. `password` is what their server wants."""

    name: str
    address: str
    smtp: Address
    imap: Address
    password: str = "local"  # noqa: S105 — the local server takes any

    def write(self, to: str, subject: str, text: str) -> EmailMessage:
        """A new mail, with a picture attached."""
        mail = self._mail(to, subject, text)
        mail.add_alternative(f"<p>{text.replace(chr(10), '<br>')}</p>", subtype="html")
        mail.add_attachment(PICTURE, maintype="image", subtype="png", filename="screen.png")
        return mail

    def answer(self, mail: EmailMessage, text: str) -> EmailMessage:
        """An answer as every mail client makes it: to Reply-To or From, with the thread's headers."""
        subject = str(mail["Subject"])
        to = str(mail["Reply-To"] or mail["From"])
        answer = self._mail(to, subject if subject.startswith("Re:") else f"Re: {subject}", text)
        answer["In-Reply-To"] = mail["Message-ID"]
        answer["References"] = " ".join(filter(None, (mail["References"], mail["Message-ID"])))
        return answer

    def send(self, mail: EmailMessage) -> None:
        """Hand it to the SMTP server."""
        with smtplib.SMTP(self.smtp.host, self.smtp.port, timeout=30) as server:
            server.send_message(mail)

    def receive(self, expected: Callable[[EmailMessage], bool]) -> EmailMessage:
        """Wait for a mail in the mailbox. Raises `TimeoutError` if none comes."""
        return eventually(lambda: next(filter(expected, self.mailbox()), None), f"a mail for {self.address}")

    def _mail(self, to: str, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"] = f"{self.name} <{self.address}>"
        mail["To"] = to
        mail["Subject"] = subject
        mail["Date"] = formatdate(localtime=False)
        mail["Message-ID"] = make_msgid(domain=self.address.partition("@")[2])
        mail.set_content(text)
        return mail

    def mailbox(self) -> list[EmailMessage]:
        """All that is in the inbox, oldest first."""
        with imaplib.IMAP4(self.imap.host, self.imap.port, timeout=30) as server:
            server.login(self.address, self.password)
            server.select("INBOX", readonly=True)
            numbers = server.search(None, "ALL")[1][0].split()
            fetched = server.fetch(b",".join(numbers).decode(), "(BODY.PEEK[])")[1] if numbers else []
        parser = BytesParser(EmailMessage, policy=email.policy.default)
        return [parser.parsebytes(part[1]) for part in fetched if isinstance(part, tuple)]
