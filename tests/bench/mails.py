"""What customers write, in the shapes that are measured; each mail is another sender's."""

import base64
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from shared.keyring import Keyring
from shared.references import parse
from shared.tokens import message_id, reply_address

ATTACHMENT_BYTES = 30_000
_DATE = "Sun, 22 Nov 2026 09:41:07 +0100"

_PLAIN = """\
From: Customer {number} <{sender}@{customers}>
To: {to}
Subject: Printer {number} is out of order
Date: {date}
Message-ID: <{kind}-{number}@{customers}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

since this morning the printer {number} prints nothing any more.
Could you have a look, please?

Customer {number}
"""

_REPLY = """\
From: Customer {number} <c{number}@{customers}>
To: {to}
Subject: Re: Printer is out of order
Date: {date}
Message-ID: <{kind}-{number}@{customers}>
In-Reply-To: {answered}
References: {answered}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Thank you. It is on the second floor, room 2.{number}.
"""

_REAL = """\
Received: from out.{customers} (out.{customers} [192.0.2.17]) by mx.mailroom.example with ESMTPS id {number}
 for <{to}>; {date}
From: Customer {number} <c{number}@{customers}>
To: Service desk <{to}>
Subject: =?utf-8?Q?Rechnung_{number}_f=C3=BCr_die_Niederlassung?=
Date: {date}
Message-ID: <{kind}-{number}@{customers}>
X-Mailer: Example Mail 16.0
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer-{number}"

--outer-{number}
Content-Type: multipart/alternative; boundary="inner-{number}"

--inner-{number}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{text}
--inner-{number}
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{html}
--inner-{number}--

--outer-{number}
Content-Type: application/pdf; name="invoice-{number}.pdf"
Content-Disposition: attachment; filename="invoice-{number}.pdf"
Content-Transfer-Encoding: base64

{attachment}
--outer-{number}--
"""
_SENTENCE = "die Rechnung im Anhang wurde uns zweimal gestellt; =C3=BCber den Rest reden wir.\n"
_TEXT = "Guten Tag,\n\n" + _SENTENCE * 12
_HTML = (
    "<html><head><style>p { margin: 0 }</style></head><body>\n"
    + '<p class=3D"MsoNormal"><span style=3D"font-size:11pt; color:#1f497d">die Rechnung\n'
    '<b>im Anhang</b> wurde uns zweimal gestellt; <a href=3D"https://example.org">=C3=BCber</a>\n'
    "den Rest reden wir.</span></p>\n"
    * 24
    + "<table><tr><td>Harbour Logistics</td><td>+49 40 000000</td></tr></table></body></html>\n"
)


@dataclass(frozen=True)
class Address:
    """Where mails go to, and the domain that they come from."""

    to: str
    customers: str


def plain(
    address: Address, number: int, *, kind: str = "plain", senders: int | None = None
) -> Iterator[bytes]:
    """Short texts, about 360 bytes each, from as many people or from `senders`. A kind has its own ids."""
    for each in range(number):
        sender = f"{kind}-{each % (senders or number)}"
        yield _written(
            _PLAIN, number=each, sender=sender, to=address.to, customers=address.customers, kind=kind
        )


def real(address: Address, number: int) -> Iterator[bytes]:
    """Text, HTML and an attachment of 30 kB that no other mail has: about 50 kB on the wire."""
    bytes_of = random.Random(1)
    for each in range(number):
        content = base64.encodebytes(bytes_of.randbytes(ATTACHMENT_BYTES)).decode()
        yield _written(
            _REAL,
            number=each,
            to=address.to,
            customers=address.customers,
            kind="real",
            text=_TEXT,
            html=_HTML,
            attachment=content,
        )


def replies(address: Address, keyring: Keyring, organisation: str, asked: Iterable[bytes]) -> Iterator[bytes]:
    """Answers to the acknowledgements that `mail.compose` records ask for, to their signed addresses."""
    domain = address.to.rpartition("@")[2]
    for number, record in enumerate(map(json.loads, asked)):
        conversation, reference = record["conversation"], parse(record["reference"])
        to = reply_address(keyring, organisation, address.to, conversation, reference)
        answered = message_id(keyring, organisation, domain, UUID(record["mail"]), conversation, reference)
        yield _written(
            _REPLY, number=number, to=to, customers=address.customers, kind="reply", answered=answered
        )


def _written(template: str, **values: object) -> bytes:
    return template.format(date=_DATE, **values).replace("\n", "\r\n").encode()
