"""What must be true of whatever comes out of a parser, whatever went in (guarantee 5)."""

import re

from services.ingest.domain.addresses import canonical
from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing.frames import Parsed, decode_answer, encode
from services.ingest.parsing.headers import MESSAGE_ID_LIMIT, SUBJECT_LIMIT
from shared.file_names import NAME_LIMIT
from tests.support.browsing import inspect


def assert_sound(mail: ParsedMail) -> None:
    """It can be stored, and shown; its HTML does nothing, and its files stay in their folder."""
    ids = (*filter(None, [mail.message_id]), *mail.in_reply_to, *mail.references)
    for text in (mail.text, mail.html, mail.subject, *mail.defects, *mail.invalid_addresses, *ids):
        assert "\0" not in text
        text.encode()
    for line in (mail.subject, *ids):
        assert not re.search(r"[\r\n]", line)
    assert len(mail.subject) <= SUBJECT_LIMIT
    assert all(len(one.encode()) <= MESSAGE_ID_LIMIT for one in ids)
    inspect(mail.html)
    names = [file.name for file in mail.attachments]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert_stays(name)
    for address in (*mail.to, *mail.cc, *mail.reply_to, *filter(None, [mail.sender])):
        assert canonical(address.address) == address.address
        assert not re.search(r"[\r\n\0]", address.name)
    # What the child sends is what the parent gets.
    assert decode_answer(encode(Parsed([mail]))).mails == [mail]


def assert_stays(name: str) -> None:
    """A file of this name lies in the folder that it is written into, wherever that is."""
    assert not re.search(r"[/\\:\x00-\x1f]", name), name
    assert name.strip(". ") == name.strip(), name
    assert name not in ("", ".", ".."), name
    assert len(name.encode()) <= NAME_LIMIT, name
