"""Puts what is large of a mail into the blob store; what is left fits into a record and a table row."""

from collections.abc import Sequence

from services.ingest.domain.loopguard import sent_by_us
from services.ingest.domain.mail import ParsedMail
from services.ingest.mail_rows import PreparedMail
from services.ingest.reading import FetchedMail
from shared.blobs import BlobStore, NewBlob
from shared.contracts.blob import Blob
from shared.contracts.mail import TEXT_LIMIT, Attachment, Content
from shared.keyring import Keyring

RAW_INLINE_BYTES = 256 * 1024
"""Raw mails up to this size lie in the table, larger ones in the blob store (design §3)."""


async def prepare(
    blobs: BlobStore,
    keyring: Keyring,
    organisation: str,
    fetched: Sequence[FetchedMail],
    parsed: Sequence[ParsedMail],
) -> list[PreparedMail]:
    """Store the large parts of all these mails side by side. Raises `BlobsUnavailable`.

    Own mail goes no further than its row, so nothing but its bytes is stored (IN-5).
    """
    shelf: list[NewBlob] = []
    placed = [
        _Placed(shelf, one, mail, own=sent_by_us(keyring, organisation, mail) is not None)
        for one, mail in zip(fetched, parsed, strict=True)
    ]
    stored = await blobs.put_many(organisation, shelf)
    return [each.with_blobs(stored) for each in placed]


class _Placed:
    """A mail whose large parts have their places on a shelf."""

    def __init__(self, shelf: list[NewBlob], fetched: FetchedMail, mail: ParsedMail, *, own: bool) -> None:
        def place(data: bytes, media_type: str, name: str | None = None) -> int:
            shelf.append(NewBlob(data, media_type, name))
            return len(shelf) - 1

        self._fetched, self._mail = fetched, mail
        self._raw = self._full_text = self._html = None
        self._attachments: list[int] = []
        if len(fetched.raw) > RAW_INLINE_BYTES:
            self._raw = place(fetched.raw, "message/rfc822")
        if own:
            return
        if len(mail.text) > TEXT_LIMIT:
            self._full_text = place(mail.text.encode(), "text/plain; charset=utf-8")
        if mail.html:
            self._html = place(mail.html.encode(), "text/html; charset=utf-8")
        self._attachments = [place(part.content, part.media_type, part.name) for part in mail.attachments]

    def with_blobs(self, stored: Sequence[Blob]) -> PreparedMail:
        """The mail, once the shelf is stored."""
        mail = self._mail
        content = Content(
            subject=mail.subject,
            text=mail.text[:TEXT_LIMIT],
            full_text=None if self._full_text is None else stored[self._full_text],
            html=None if self._html is None else stored[self._html],
            attachments=tuple(
                Attachment(blob=stored[place], content_id=part.content_id, inline=part.inline)
                for place, part in zip(self._attachments, mail.attachments, strict=False)
            ),
        )
        raw_object = None if self._raw is None else stored[self._raw].object
        return PreparedMail(self._fetched, mail, content, raw_object)
