"""What identifies a mail, and what identifies its effect on a target (design §7, AMB-9, IN-7)."""

import hashlib
from collections.abc import Mapping

from services.ingest.domain.mail import ParsedMail


def key_of_message_id(organisation: str, message_id: str) -> str:
    """The key of the mail with this Message-ID (without angle brackets): 64 hexadecimal digits."""
    return _hash("message-id", organisation, message_id)


def mail_key(organisation: str, mail: ParsedMail) -> str:
    """The key of a mail: organisation and Message-ID, or the digest of AMB-9 where it has none."""
    if mail.message_id is None:
        return _hash("digest", organisation, mail.digest)
    return key_of_message_id(organisation, mail.message_id)


def key_in_mailbox(organisation: str, mail: ParsedMail, seen: Mapping[str, str]) -> str:
    """The key of a mail among those already seen in the *same* mailbox.

    `seen` maps mail keys to digests. The same Message-ID with other content in one mailbox is another mail
    (design §7): somebody's program numbers its mails wrongly, and none of them may be lost.
    """
    key = mail_key(organisation, mail)
    if mail.message_id is None or seen.get(key, mail.digest) == mail.digest:
        return key
    return _hash("message-id and digest", organisation, mail.message_id, mail.digest)


def effect_key(mail: str, target: str) -> str:
    """The key of one mail's effect on one address of ours, so that it happens once (AMB-9)."""
    return _hash("effect", mail, target.lower())


def _hash(*parts: str) -> str:
    # NUL stands in none of the parts: two different tuples never give the same bytes.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
