"""A mail with its files, in pieces: what people attach may be large, and is never whole in memory."""

from collections.abc import AsyncIterator

from services.notify.domain import mime
from services.notify.domain.mail import ComposedMail
from shared.blobs import BlobStore


async def pieces(blobs: BlobStore, mail: ComposedMail) -> AsyncIterator[bytes]:
    """The bytes of a mail that has files, which others have stored. Raises like `BlobStore.stream`."""
    unique = mail.asked.mail.hex
    yield mail.mime
    for file in mail.asked.attachments:
        yield mime.file_head(file.name, file.media_type, unique)
        left = b""
        async for chunk in blobs.stream(file.object):
            left += chunk
            whole_lines = len(left) - len(left) % mime.OF_LINE
            yield mime.file_lines(left[:whole_lines])
            left = left[whole_lines:]
        yield mime.file_lines(left)
    yield mime.end(unique)
