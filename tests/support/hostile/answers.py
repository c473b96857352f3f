"""What mail programs and desks answer by themselves, and how they mark it: not all of them do.

Whoever marks nothing is taken for a person (IN-15); that such an exchange ends is proved in
`tests/e2e/test_loops.py`.
"""

from dataclasses import dataclass

from tests.support.hostile.kind import Kind, multipart, part, text


@dataclass(frozen=True)
class _Answer:
    """An automatic answer. `marked` says whether a rule of IN-15 can recognise it."""

    name: str
    subject: str
    says: str
    fields: tuple[str, ...]
    marked: bool = True
    html: bool = False

    def kind(self) -> Kind:
        said = self.says.encode()
        body = text("utf-8", said)
        if self.html:
            page = part("text/html; charset=utf-8", b"<p>" + said + b"</p>")
            body = multipart(body, page, subtype="alternative")
        head = (f"Subject: {self.subject}", "In-Reply-To: <asked@acme.test>", *self.fields)
        return Kind(
            f"answer of {self.name}",
            "".join(f"{field}\n" for field in head).encode() + body,
            {"subject": self.subject, "text": self.says, "in_reply_to": ("asked@acme.test",)},
            without=("Subject",),
            automatic=self.marked,
        )


_SUPPRESS = "X-Auto-Response-Suppress: All"
_REPLIED, _GENERATED = "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated"

_ANSWERS = (
    _Answer(
        "Outlook",
        "Automatic reply: Your request",
        "I am away until Monday.",
        (_SUPPRESS, _GENERATED),
        html=True,
    ),
    _Answer(
        "Outlook in German",
        "Automatische Antwort: Your request",
        "Ich bin bis Montag nicht im Büro.",
        (_SUPPRESS, _GENERATED),
    ),
    _Answer(
        "Outlook in French",
        "Réponse automatique : Your request",
        "Je suis absente jusqu’à lundi.",
        (_SUPPRESS, _GENERATED),
    ),
    _Answer("Outlook in Japanese", "自動応答: Your request", "月曜日まで不在です。", (_SUPPRESS, _GENERATED)),
    _Answer(
        "Outlook behind a relay that cleans",
        "Automatic reply: Your request",
        "I am away.",
        (_SUPPRESS,),
        marked=False,
    ),
    _Answer(
        "Gmail",
        "Away Re: Your request",
        "I am on holiday.",
        (_REPLIED, "Precedence: bulk", "X-Autoreply: yes"),
    ),
    _Answer(
        "Sieve",
        "Auto: Your request",
        "Not here.",
        ("Auto-Submitted: auto-replied (vacation)", "Precedence: bulk"),
    ),
    _Answer(
        "vacation of BSD",
        "away from my mail",
        "I will read it later.",
        ("Precedence: bulk", "Auto-Submitted: auto-replied"),
    ),
    _Answer(
        "Zimbra",
        "Abwesend",
        "Ich bin nicht da.",
        ("Auto-Submitted: auto-replied (zimbra; vacation)", "Precedence: bulk"),
    ),
    _Answer("Horde in Spanish", "Estoy de vacaciones", "Volveré el lunes.", (_REPLIED, "Precedence: bulk")),
    _Answer("Roundcube in Polish", "Jestem nieobecny", "Wracam w poniedziałek.", (_REPLIED,)),
    _Answer(
        "Domino in Italian", "Sono fuori ufficio", "Torno lunedì.", (_GENERATED, "X-Mailer: Lotus Domino")
    ),
    _Answer("GroupWise in Dutch", "Afwezig", "Ik ben maandag terug.", (_GENERATED,)),
    _Answer(
        "cPanel",
        "Away",
        "Back soon.",
        ("X-Autorespond: Your request", "X-Loop: carl@customer.example", "Precedence: auto_reply"),
    ),
    _Answer(
        "Plesk in Russian",
        "Меня нет на месте",
        "Вернусь в понедельник.",
        ("X-Autoreply: yes", "Precedence: auto_reply"),
    ),
    _Answer("Exim", "Auto reply", "Away.", ("Auto-Submitted: auto-replied", "X-Autoreply-From: carl")),
    _Answer(
        "a desk that marks",
        "[#4711] Your request",
        "A ticket was opened.",
        (_SUPPRESS, _GENERATED, "X-Zendesk-From-Account-Id: 1"),
    ),
    _Answer(
        "a desk that marks its own way",
        "[Ticket#4711] Your request",
        "Ihre Anfrage ist eingegangen.",
        ("X-OTRS-Loop: yes", "Precedence: bulk"),
        marked=False,
    ),
    _Answer("a desk that marks nothing", "Re: Your request [4711]", "We will answer soon.", (), marked=False),
    _Answer("a telephone", "Re: Your request", "Driving. Sent by itself.", (), marked=False),
    _Answer(
        "a calendar",
        "Accepted: Your request",
        "Yes.",
        ("Content-Class: urn:content-classes:calendarmessage",),
        marked=False,
    ),
    _Answer(
        "a list",
        "Your message awaits moderation",
        "Wait.",
        ("Precedence: list", "List-Id: <list.customer.example>", _REPLIED, "X-List-Administrivia: yes"),
    ),
    _Answer("a challenge", "Please confirm your mail", "Click to be let in.", (_REPLIED, "X-Challenge: 1")),
    _Answer("somebody who shouts", "AWAY", "AWAY.", ("AUTO-SUBMITTED: AUTO-REPLIED",)),
    _Answer("somebody who comments", "Away", "Away.", ("Auto-Submitted: (robot) auto-replied ; owner=x",)),
    _Answer("somebody who says twice", "Away", "Away.", ("Auto-Submitted: no", _REPLIED)),
    _Answer("a person who says so", "Re: Your request", "It is me.", ("Auto-Submitted: no",), marked=False),
)

ANSWERS = tuple(answer.kind() for answer in _ANSWERS)
