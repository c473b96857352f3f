"""Bytes to text that Postgres and JSON can hold, whatever the mail says its charset is."""

import codecs

from charset_normalizer import from_bytes

# What browsers read these labels as (WHATWG Encoding Standard): the larger set that senders really use.
_READ_AS = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
}
# Python has codecs that are no charsets; some of them take quadratic time on hostile bytes.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_WIDE = ("utf-16", "utf-32")
_SAMPLE = 16 * 1024
_ASCII = bytes(range(128))
# With fewer 8-bit bytes, or a smaller share of them, it is some Western text, and a guess is worse than that.
_ENOUGH = 20
_FOREIGN = 0.3


def decode(content: bytes, label: str | None) -> tuple[str, str | None]:
    """The text, and a sentence about what had to be mended (None for nothing).

    The label is believed when it fits, then UTF-8, then a guess; what fits nothing gets U+FFFD.
    """
    codec = _codec(label)
    if (
        codec is not None
        and codec.startswith(_WIDE)
        and content.isascii()
        and content
        and b"\0" not in content
    ):
        codec = None  # two octets for a letter, none zero and none beyond ASCII: no language looks so
    for attempt in dict.fromkeys((codec, "utf-8")):
        if attempt is None:
            continue
        try:
            text = storable(content.decode(attempt))
        except (UnicodeError, ValueError):
            continue
        if attempt == codec or label is None:
            return text, None
        return text, f"charset {_shown(label)} did not fit, read as {attempt}"
    text, guess = _guess(content, codec)
    return storable(text), f"charset {_shown(label)} did not fit, read as {guess}"


def storable(text: str) -> str:
    """Text without NUL and lone surrogates: neither Postgres nor UTF-8 takes them."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.removeprefix("\ufeff")


def _codec(label: str | None) -> str | None:
    if label is None:
        return None
    name = label.strip().strip("\"'").lower()
    name = _READ_AS.get(name, name)
    try:
        info = codecs.lookup(name)
        b" ".decode(info.name)
    except UnicodeDecodeError:
        pass  # a charset, and one blank is too little for it
    except (LookupError, ValueError, TypeError):
        return None  # unknown, or something that turns bytes into bytes
    return None if info.name.replace("-", "_") in _NO_CHARSETS else info.name


def _guess(content: bytes, codec: str | None) -> tuple[str, str]:
    sample = content[:_SAMPLE]
    for attempt in dict.fromkeys((codec or "utf-8", "utf-8")):
        text = content.decode(attempt, "replace")
        losses = text.count("\ufffd")
        beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
        if beyond_ascii >= 2 * losses:
            return text, f"{attempt} with losses"
    foreign = len(sample.translate(None, _ASCII))
    if foreign >= _ENOUGH and foreign > len(sample) * _FOREIGN:
        best = from_bytes(sample).best()
        if best is not None:
            return content.decode(best.encoding, "replace"), best.encoding
    return content.decode("cp1252", "replace"), "cp1252"


def _shown(label: str | None) -> str:
    return storable(label)[:40] if label else "(none)"
