"""Mails whose parts are not where they should be (RFC 2045, 2046)."""

from tests.support.hostile.kind import Fate, Kind, multipart, part, text

_HELLO = text("utf-8", b"Hello.")


def _nested(levels: int, *, message: bool = False) -> bytes:
    if message:
        return b"Content-Type: message/rfc822\n\n" * levels + b"Subject: innermost\n\nHello.\n"
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level) for level in range(levels)
    )


STRUCTURE = (
    Kind("boundary never closed", multipart(_HELLO, closed=False), {"text": "Hello."}),
    Kind(
        "boundary that never comes",
        b"Content-Type: multipart/mixed; boundary=never\n\n--ever\nHello.\n",
        {"text": "--ever\nHello."},
    ),
    Kind(
        "boundary that is missing",
        b"Content-Type: multipart/mixed\n\n--x\n\nHello.\n--x--\n",
        {"text": "--x\n\nHello.\n--x--"},
    ),
    Kind("boundary that is empty", b'Content-Type: multipart/mixed; boundary=""\n\n--\n\nHello.\n----\n'),
    Kind("boundary of a kilobyte", multipart(_HELLO, boundary="b" * 1000), {"text": "Hello."}),
    Kind("boundary of signs", multipart(_HELLO, boundary="(?.*+)[a-z]{9}\\\\$^|")),
    Kind(
        "boundary that begins another",
        multipart(multipart(_HELLO, boundary="aa"), boundary="a"),
        {"text": "Hello."},
    ),
    Kind("boundary used at two levels", multipart(multipart(_HELLO, boundary="same"), boundary="same")),
    Kind("boundary in the text", multipart(text("utf-8", b"one\n--b0undary two\nthree"))),
    Kind("multipart without parts", b"Content-Type: multipart/mixed; boundary=b\n\n--b--\n", {"text": ""}),
    Kind(
        "multipart of words",
        b"Content-Type: multipart/mixed; boundary=b\n\nOnly a preamble.\n",
        {"text": "Only a preamble."},
    ),
    Kind(
        "multipart that is a file",
        multipart(part("multipart/mixed", b"no boundary", more="Content-Disposition: attachment\n")),
    ),
    Kind("ten thousand parts", multipart(*[b"\nx\n"] * 10_000), alone=True),
    Kind("a thousand files", multipart(*[part("application/x-a; name=a.txt", b"x")] * 1000), alone=True),
    Kind("nested two hundred deep", _nested(200) + b"\nHello.\n"),
    Kind("nested twelve hundred deep", _nested(1200) + b"\nHello.\n", fate=Fate.UNREADABLE, alone=True),
    Kind(
        "nested twenty thousand deep",
        lambda: _nested(20_000) + b"\nHello.\n",
        fate=Fate.UNREADABLE,
        alone=True,
    ),
    Kind("mail in mail in mail", _nested(3, message=True), {"text": ""}),
    Kind("mail in mail fifty deep", _nested(50, message=True)),
    Kind("mail in mail a thousand deep", _nested(1000, message=True), fate=Fate.UNREADABLE, alone=True),
    Kind("mail in mail that is base64", b"Content-Transfer-Encoding: base64\n" + _nested(1, message=True)),
    Kind("mail as text", part("message/rfc822; charset=utf-8", b"no header at all")),
    Kind("part of a mail", part('message/partial; id="x@y"; number=2; total=3', b"second third")),
    Kind(
        "mail that lies elsewhere",
        part(
            'message/external-body; access-type=URL; url="file:///etc/passwd"',
            b"Content-Type: text/plain\n\n",
        ),
    ),
    Kind("type of one word", b"Content-Type: text\n\nHello.\n", {"text": "Hello."}),
    Kind("type that is nonsense", b"Content-Type: ;;;===\n\nHello.\n", {"text": "Hello."}),
    Kind(
        "type of a megabyte", b"Content-Type: text/plain; " + b"a=b; " * 200_000 + b"\n\nHello.\n", alone=True
    ),
    Kind("type named twice", b"Content-Type: text/html\n" + _HELLO),
    Kind("alternatives of nothing", multipart(subtype="alternative"), {"text": ""}),
    Kind(
        "alternatives of files",
        multipart(part("application/pdf", b"x"), part("image/png", b"y"), subtype="alternative"),
        {"text": ""},
    ),
    Kind(
        "related without a root",
        multipart(part("image/png", b"y"), subtype='related; start="<nowhere>"; type="text/html'),
    ),
)
