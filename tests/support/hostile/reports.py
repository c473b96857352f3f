"""Delivery reports, as the mailers write them: by RFC 3464, in their own form, or as plain text.

The mail that could not be delivered comes back inside, with a Message-ID that may be ours: it says nothing
about the report.
"""

from dataclasses import dataclass

from tests.support.hostile.kind import ADDRESS, Kind, multipart, part, text

_GONE = "nobody@customer.example"
_RETURNED = (
    b"From: Help <help@acme.test>\nTo: nobody@customer.example\nSubject: Your request\n"
    b"Message-ID: <returned@acme.test>\n\nThank you.\n"
)
_STATUS = (
    "Reporting-MTA: dns; mx.customer.example\n\n"
    f"Final-Recipient: rfc822; {_GONE}\nAction: failed\nStatus: 5.1.1\n"
)


@dataclass(frozen=True)
class _Mailer:
    """What a mailer's reports have of their own. `fields` stand in the head."""

    name: str
    sender: str
    subject: str
    fields: tuple[str, ...] = ()
    says: str = f"Could not deliver to {_GONE}."
    report: bool = True
    """multipart/report, and not plain text."""
    empty_path: bool = True
    """The last relay noted the empty envelope sender."""
    returned: str = "message/rfc822"
    status: str = _STATUS

    def kind(self) -> Kind:
        path = ("Return-Path: <>",) if self.empty_path else ()
        head = (f"From: {self.sender}", f"Subject: {self.subject}", *path, *self.fields)
        return Kind(
            f"report of {self.name}",
            "".join(f"{field}\n" for field in head).encode() + self._body(),
            {"text": self.says} if self.report else {},
            without=("From", "Subject"),
            automatic=True,
        )

    def _body(self) -> bytes:
        if not self.report:
            return text("us-ascii", self.says.encode() + b"\n\n" + _RETURNED, "7bit")
        return multipart(
            text("utf-8", self.says.encode()),
            part("message/delivery-status", self.status.encode()),
            part(self.returned, _RETURNED),
            subtype="report; report-type=delivery-status",
        )


_MACHINE = "MAILER-DAEMON@mx.customer.example"
_REPLIED, _GENERATED = "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated"
_MAILERS = (
    _Mailer(
        "Postfix", f"Mail Delivery System <{_MACHINE}>", "Undelivered Mail Returned to Sender", (_REPLIED,)
    ),
    _Mailer(
        "Postfix that waits",
        f"Mail Delivery System <{_MACHINE}>",
        "Delayed Mail (still being retried)",
        (_REPLIED,),
        status=_STATUS.replace("failed", "delayed").replace("5.1.1", "4.4.1"),
    ),
    _Mailer(
        "Sendmail",
        f"Mail Delivery Subsystem <{_MACHINE}>",
        "Returned mail: see transcript for details",
        ("Auto-Submitted: auto-generated (failure)",),
    ),
    _Mailer(
        "Exim",
        f"Mail Delivery System <{_MACHINE}>",
        "Mail delivery failed: returning message to sender",
        (_REPLIED, f"X-Failed-Recipients: {_GONE}"),
    ),
    _Mailer(
        "Exim of old",
        f"Mail Delivery System <{_MACHINE}>",
        "Mail delivery failed",
        (f"X-Failed-Recipients: {_GONE}",),
        report=False,
    ),
    _Mailer("qmail", _MACHINE, "failure notice", report=False),
    _Mailer(
        "Exchange",
        "Postmaster <postmaster@customer.example>",
        "Undeliverable: Your request",
        ("X-MS-Exchange-Message-Is-Ndr:", "X-Auto-Response-Suppress: All"),
    ),
    _Mailer(
        "Exchange in German",
        "postmaster@customer.example",
        "Unzustellbar: Your request",
        says=f"Die Adresse {_GONE} gibt es nicht.",
    ),
    _Mailer(
        "Exchange of old",
        "System Administrator <postmaster@customer.example>",
        "Undeliverable: Your request",
        ("Content-Class: urn:content-classes:dsn",),
        returned="message/rfc822-headers",
    ),
    _Mailer(
        "Microsoft 365",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@customer.example>",
        "Undeliverable: Your request",
        (_REPLIED,),
    ),
    _Mailer(
        "Gmail",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery Status Notification (Failure)",
        (_REPLIED, f"X-Failed-Recipients: {_GONE}"),
    ),
    _Mailer("Yahoo", "MAILER-DAEMON@yahoo.com", "Failure Notice", report=False),
    _Mailer(
        "iCloud",
        f"Mail Delivery System <{_MACHINE}>",
        "Undelivered Mail Returned to Sender",
        (_REPLIED,),
        returned="text/rfc822-headers",
    ),
    _Mailer(
        "Amazon SES", "MAILER-DAEMON@amazonses.com", "Delivery Status Notification (Failure)", (_GENERATED,)
    ),
    _Mailer(
        "Domino",
        "Mail Router <postmaster@customer.example>",
        "DELIVERY FAILURE: User not listed",
        returned="text/rfc822-headers",
    ),
    _Mailer("GroupWise", "Mailer-Daemon@customer.example", "Message status - undeliverable", report=False),
    _Mailer("OpenSMTPD", f"Mailer Daemon <{_MACHINE}>", "Delivery status notification: error", (_REPLIED,)),
    _Mailer("Courier", f"Mail Delivery System <{_MACHINE}>", "NOTICE: mail delivery status.", (_REPLIED,)),
    _Mailer("Haraka", _MACHINE, "failure notice", (_REPLIED,)),
    _Mailer("hMailServer", "mailer-daemon@customer.example", "Message undeliverable", report=False),
    _Mailer(
        "MDaemon",
        "MDaemon at customer.example <MDaemon@customer.example>",
        "Warning: Delivery failed",
        (_GENERATED,),
        returned="text/rfc822-headers",
    ),
    _Mailer("CommuniGate", f"<{_MACHINE}>", "Undeliverable mail: Your request"),
    _Mailer("PowerMTA", "Mail Delivery <mailer-daemon@customer.example>", "Delivery report"),
    _Mailer(
        "Zimbra", f"Mail Delivery System <{_MACHINE}>", "Undelivered Mail Returned to Sender", (_REPLIED,)
    ),
    _Mailer("Mimecast", "postmaster@customer.example", "[Postmaster] Email Delivery Failure", (_GENERATED,)),
    _Mailer("James", "postmaster@customer.example", "Re: Your request", report=False),
    _Mailer("a relay that drops Return-Path", _MACHINE, "Returned mail", empty_path=False),
    _Mailer("a mailer that lies", _MACHINE, "Returned mail", status="\0nonsense\n\n: :\nFinal-Recipient\n"),
)

REPORTS = (
    *(mailer.kind() for mailer in _MAILERS),
    Kind(
        "report of reading",
        b"Subject: Read: Your request\n"
        + multipart(
            text("utf-8", b"It was read."),
            part(
                "message/disposition-notification",
                b"Disposition: manual-action/MDN-sent-manually; displayed\n",
            ),
            subtype="report; report-type=disposition-notification",
        ),
        {"text": "It was read."},
        without=("Subject",),
        automatic=True,
    ),
    Kind(
        "report of abuse",
        multipart(
            text("utf-8", b"Spam."),
            part("message/feedback-report", b"Feedback-Type: abuse\n"),
            part("message/rfc822", _RETURNED),
            subtype="report; report-type=feedback-report",
        ),
        {"text": "Spam."},
        automatic=True,
    ),
    Kind(
        "report without its parts",
        f"To: {ADDRESS}\nReturn-Path: <>\nContent-Type: multipart/report\n\n".encode(),
        without=("To",),
        automatic=True,
    ),
)
