"""Texts and headers in charsets that are unknown, wrong, lying or broken in the middle (RFC 2047)."""

from tests.support.hostile.kind import Kind, text, typed

_UMLAUTS = "Grüße aus Köln"
_RUSSIAN = "Здравствуйте, мой заказ до сих пор не пришёл. Пожалуйста, проверьте его состояние."
_JAPANESE = "注文をキャンセルしてください。"


def _subject(name: str, written: str | bytes, subject: str | None = None, *, alone: bool = False) -> Kind:
    raw = written if isinstance(written, bytes) else written.encode()
    content = b"Subject: " + raw + b"\n\nHello.\n"
    reads = {"text": "Hello."} | ({} if subject is None else {"subject": subject})
    return Kind(name, content, reads, without=("Subject",), alone=alone)


CHARSETS = (
    Kind("unknown charset", text("klingon-8", b"na\xefve caf\xe9"), {"text": "naïve café"}),
    Kind("charset without a name", text("", _UMLAUTS.encode()), {"text": _UMLAUTS}),
    Kind("charset that is no charset", text("base64", _UMLAUTS.encode()), {"text": _UMLAUTS}),
    Kind(
        "charset that runs code in Python",
        text("unicode_escape", rb"\x41\N{DIGIT ONE}"),
        {"text": rb"\x41\N{DIGIT ONE}".decode()},
    ),
    Kind("charset of ten thousand letters", text("x" * 10_000, _UMLAUTS.encode()), {"text": _UMLAUTS}),
    Kind(
        "charset with a line break",
        typed('text/plain; charset="ut\n f-8"', _UMLAUTS.encode()),
        {"text": _UMLAUTS},
    ),
    Kind("charset named twice", typed("text/plain; charset=utf-8; charset=koi8-r", _UMLAUTS.encode())),
    Kind("UTF-8 that is Latin-1", text("utf-8", _UMLAUTS.encode("latin-1")), {"text": _UMLAUTS}),
    Kind("ASCII that is UTF-8", text("us-ascii", _UMLAUTS.encode()), {"text": _UMLAUTS}),
    Kind("Latin-1 that is Windows", text("iso-8859-1", b"\x8420 \x80\x93"), {"text": "„20 €“"}),
    Kind("UTF-8 that is KOI8-R", text("utf-8", (_RUSSIAN * 3).encode("koi8-r"))),
    Kind(
        "no charset but Cyrillic",
        typed("text/plain", (_RUSSIAN * 3).encode("cp1251")),
        {"text": _RUSSIAN * 3},
    ),
    Kind("UTF-16 that is ASCII", text("utf-16", b"Hello there, odd"), {"text": "Hello there, odd"}),
    Kind("UTF-16 cut in a character", text("utf-16le", "Grüße".encode("utf-16le")[:-1])),
    Kind("UTF-32 beyond Unicode", text("utf-32", b"\xff\xff\xff\xff" * 8)),
    Kind(
        "UTF-8 cut in a character",
        text("utf-8", ("é" * 40).encode() + b"\xc3"),
        {"text": "é" * 40 + "\ufffd"},
    ),
    Kind("UTF-8 with surrogates", text("utf-8", b"a\xed\xa0\x80b " + ("é" * 40).encode())),
    Kind("UTF-8 overlong", text("utf-8", b"\xc0\xafetc\xe0\x80\xaf")),
    Kind(
        "UTF-7 with a script",
        typed("text/html; charset=utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-Hi"),
        {"text": "Hi", "html": "Hi\n"},
    ),
    Kind("UTF-7 with a lone surrogate", text("utf-7", b"a+2AA-b"), {"text": "a\ufffdb"}),
    Kind("ISO-2022-JP cut in its escape", text("iso-2022-jp", _JAPANESE.encode("iso-2022-jp")[:-3])),
    Kind("ISO-2022-JP that is Shift-JIS", text("iso-2022-jp", _JAPANESE.encode("cp932"))),
    Kind("HZ that never ends", text("hz-gb-2312", b"~{VPND" * 50)),
    Kind("GB2312 that is GBK", text("gb2312", "镕".encode("gbk")), {"text": "镕"}),
    Kind(
        "Korean by its old name", text("ks_c_5601-1987", "안녕하세요".encode("cp949")), {"text": "안녕하세요"}
    ),
    Kind(
        "charset of the page itself",
        typed("text/html", b'<meta charset="koi8-r"><p>' + _RUSSIAN.encode("koi8-r")),
        {"text": _RUSSIAN},
    ),
    Kind("text with NUL and controls", text("utf-8", b"a\0b\x1b[31mc\x08d\x7fe")),
    Kind("text that turns around", text("utf-8", "total: \u202e001\u202c \u2066x\u2069 \ufeff".encode())),
)

ENCODED_WORDS = (
    _subject(
        "word cut in a character, base64",
        "=?utf-8?B?R3LDvMOf?= =?utf-8?B?ZSB1bSDigg==?= =?utf-8?B?rA==?=",
        "Grüße um €",
    ),
    _subject("word cut in a character, quoted", "=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"),
    _subject("word cut in Japanese", "=?iso-2022-jp?B?GyRCQ20=?= =?iso-2022-jp?B?SjgbKEI=?=", "注文"),
    _subject("word in an unknown charset", "=?klingon-8?Q?na=EFve?=", "naïve"),
    _subject("word without padding", "=?utf-8?B?SGVsbG8?=", "Hello"),
    _subject("word that is no base64", "=?utf-8?B?$$$?= end", "end"),
    _subject("word with a language", "=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    _subject("word of an unknown encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
    _subject("word with spaces inside", "=?utf-8?Q?two words here?=", "two words here"),
    _subject("word that is never closed", "=?utf-8?Q?open", "=?utf-8?Q?open"),
    _subject("word inside a word", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=", "=?utf-8?Q?x?="),
    _subject(
        "word that holds a header", "=?utf-8?Q?a=0D=0ABcc:_eve@evil.example?=", "a Bcc: eve@evil.example"
    ),
    _subject("word that holds NUL", "=?utf-8?Q?a=00b?=", "ab"),
    _subject("words by the thousand", " ".join(["=?utf-8?Q?a?="] * 20_000), alone=True),
    _subject("marks of words by the thousand", "=?" * 100_000, alone=True),
    _subject("question marks by the thousand", "=?utf-8?Q?" + "?" * 100_000),
    _subject("subject in naked Latin-1", b"Gr\xfc\xdfe", "Grüße"),
    _subject("subject in naked UTF-8", "Grüße €", "Grüße €"),
    _subject("subject of emoji cut in half", b"\xf0\x9f\x98\x80 \xf0\x9f\x98", "😀 \ufffd"),
    _subject("subject of a megabyte", "x" * 1_000_000, "x" * 2000, alone=True),
    _subject("subject folded at every letter", "\n ".join("abc" * 1000)),
)
