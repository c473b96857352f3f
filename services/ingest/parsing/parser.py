"""From raw bytes to a `ParsedMail`: the Rust parser first, then the standard library, then headers alone."""

from functools import cache

from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing import headers, lenient, rust
from services.ingest.parsing.body import Body, read_body
from services.ingest.parsing.digest import content_digest
from services.ingest.parsing.headers import RawHeaders
from services.ingest.parsing.mending import mended
from services.ingest.parsing.tree import Head

_DEFECTS_LIMIT = 50


def parse(raw: bytes, *, rust_first: bool = True, pages: bool = True) -> ParsedMail:
    """Parse one mail. Pure; raises nothing but `MemoryError`. Without `pages`, HTML is kept as text only.

    It may still take too long, too much memory, or the process with it: call it in a child (`pool.py`).
    """
    legible, defects = mended(raw)

    @cache
    def raw_headers() -> RawHeaders:
        return headers.scan(headers.split(legible)[0])

    # Rust takes a bare CR for no line end at all, and then the whole mail for one header.
    if rust_first and b"\n" in legible:
        try:
            head, tree = rust.read(legible, raw_headers)
            return _mail(raw, head, read_body(tree, pages=pages), defects, None)
        except BaseException as error:
            defects.append(f"read leniently: {_reason(error)}")
    try:
        head, tree = lenient.read(legible, raw_headers())
        return _mail(raw, head, read_body(tree, pages=pages), defects, None)
    except BaseException as error:
        return parse_headers(raw, _reason(error))


def parse_headers(raw: bytes, reason: str) -> ParsedMail:
    """A mail that could not be read, with the headers that are legible, and the reason."""
    legible, defects = mended(raw)
    block, _ = headers.split(legible)
    return _mail(raw, lenient.head(headers.scan(block)), Body(), defects, reason)


def _reason(error: BaseException) -> str:
    """What was wrong with a mail; raises again what is no mail's fault."""
    # A panic in a Rust library is no `Exception`; it is one mail's trouble all the same.
    if isinstance(error, (MemoryError, KeyboardInterrupt, SystemExit)):
        raise error
    if isinstance(error, RecursionError):
        return "its parts are nested too deeply"
    return headers.one_line(f"{type(error).__name__}: {error}")[:200]


def _mail(raw: bytes, head: Head, body: Body, defects: list[str], unparsed_reason: str | None) -> ParsedMail:
    if head.date is None and "date" in head.headers:
        defects.append("the date is none")
    if not head.sender.addresses:
        defects.append("there is no sender")
    sender = head.sender.addresses or head.reply_to.addresses
    return ParsedMail(
        size=len(raw),
        digest=content_digest(raw),
        message_id=headers.own_message_id(head.first("message-id")),
        in_reply_to=headers.message_ids(head.first("in-reply-to")),
        references=headers.message_ids(" ".join(head.headers.get("references", ()))),
        date=head.date,
        subject=head.subject,
        sender=sender[0] if sender else None,
        reply_to=head.reply_to.addresses,
        to=head.to.addresses,
        cc=head.cc.addresses,
        headers=headers.kept(head.headers),
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        defects=tuple(dict.fromkeys((*defects, *body.defects)))[:_DEFECTS_LIMIT],
        invalid_addresses=(*head.to.invalid, *head.cc.invalid),
        unparsed_reason=unparsed_reason,
    )
