"""What ties a mail to the thread it answers: In-Reply-To, References and the subject (RFC 5322 3.6.4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

REFERENCES_KEPT = 20
"""Message-IDs in References. Threads live for years, and each of ours takes a hundred octets."""
MESSAGE_ID_LIMIT = 500
"""Characters of a Message-ID that we repeat; longer ones come from no mail program."""

# They come from strangers' mails: what could break a header is left out, not mended.
_MESSAGE_ID = re.compile(r"[!-;=?-~]+", re.ASCII)
# "Re:" in the languages whose mail programs translate it, also numbered as in "Re[2]:".
_REPLY_MARK = re.compile(r"\s*(?:re|aw|antw|sv|vs|odp|ynt|rif|rép|réf|res|r)\s*(?:\[\d+\])?\s*[::]\s*", re.I)


@dataclass(frozen=True, slots=True)
class Thread:
    """The Message-IDs for In-Reply-To and References, without angle brackets, oldest first."""

    in_reply_to: str | None
    references: tuple[str, ...]


def thread(in_reply_to: str | None, references: Sequence[str]) -> Thread:
    """The thread headers of an answer to `in_reply_to`, whose own thread is `references`.

    References ends with the mail that is answered. Of a long thread the first id and the last ones stay
    (RFC 5537 3.4.4): the first finds the thread, the last ones the place in it.
    """
    parent = in_reply_to if in_reply_to and _usable(in_reply_to) else None
    ids = [each for each in dict.fromkeys(references) if _usable(each) and each != parent]
    if parent is not None:
        ids.append(parent)
    if len(ids) > REFERENCES_KEPT:
        ids = ids[:1] + ids[1 - REFERENCES_KEPT :]
    return Thread(parent, tuple(ids))


def reply_subject(subject: str) -> str:
    """`Re: ` and the subject without the marks that others put before it (RFC 5322 3.6.5)."""
    rest = subject
    while match := _REPLY_MARK.match(rest):
        rest = rest[match.end() :]
    return f"Re: {rest}".rstrip()


def _usable(message_id: str) -> bool:
    return len(message_id) <= MESSAGE_ID_LIMIT and _MESSAGE_ID.fullmatch(message_id) is not None
