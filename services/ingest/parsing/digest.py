"""What identifies a mail's content wherever it was delivered (AMB-9)."""

import hashlib
import re

from services.ingest.parsing.headers import split

# Each relay adds headers of its own: only these are the sender's, and the body with its attachments.
_SENDERS_OWN = re.compile(
    rb"^(from|date|subject)[ \t]*:(.*(?:(?:\r\n|\n|\r)[ \t].*)*)", re.IGNORECASE | re.MULTILINE
)


def content_digest(raw: bytes) -> str:
    """SHA-256, in hexadecimal, of From, Date, Subject and the whole body.

    It is taken from the raw bytes, so that it does not depend on how well they can be parsed. Line ends,
    folding and trailing blank lines do not count, because mail servers change them. What has nothing of
    these is told by its whole head: two pieces of garbage are two mails, not one that came twice.
    """
    block, body = split(raw)
    digest = hashlib.sha256()
    fields = sorted((name.lower(), b" ".join(value.split())) for name, value in _SENDERS_OWN.findall(block))
    if not (fields or body.strip()):
        digest.update(block)
    for name, value in fields:
        digest.update(name + b":" + value + b"\n")
    digest.update(b"\n")
    digest.update(body.replace(b"\r", b"").rstrip())  # a tenth of the time that whole line ends take
    return digest.hexdigest()
