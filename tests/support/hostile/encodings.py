"""Bodies and files whose transfer encoding is broken, unknown or a lie; containers that nobody may open."""

import base64
import gzip
import io
import zipfile
import zlib

from tests.support.hostile.kind import Kind, multipart, part, text, typed, with_file

_PLAIN = "text/plain; charset=utf-8"
_UU = b"begin 644 ../../evil.txt\n#0V%T\n`\nend\n"


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content)


def _zip_bomb() -> bytes:
    """Zeros in zips in a zip: what is half a gigabyte is 20 kB."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as file:
        for _ in range(5):
            file.write(bytes(1024**2))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(100):
            archive.writestr(f"{number}.zip", inner.getvalue())
    return outer.getvalue()


def _entity_bomb() -> bytes:
    """A workbook whose one sheet doubles its entities thirty times."""
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 30))
    sheet = f'<!DOCTYPE x [<!ENTITY e0 "lol">{entities}]><worksheet>&e29;</worksheet>'
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        archive.writestr("../../../../tmp/escaped.txt", "out")
    return book.getvalue()


def _png_bomb() -> bytes:
    """A picture of 30 000 by 30 000 pixels that is 1 kB."""
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x06\0\0\0"
    return header + zlib.compress(bytes(10_000))


def _tnef() -> bytes:
    """The head of Outlook's own container (MS-OXTNEF), with an attribute that claims four gigabytes."""
    return b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x0f\x80\x06\x00" + b"\xff\xff\xff\xff" + b"x" * 500


ENCODINGS = (
    Kind(
        "base64 with letters that are none",
        typed(_PLAIN, b"SGVsbG8s!!*IHdvcmxk\n", "base64"),
        {"text": "Hello, world"},
    ),
    Kind("base64 that is cut", typed(_PLAIN, b"SGVsbG8sIHdvcmxkI\n", "base64"), {"text": "Hello, world"}),
    Kind(
        "base64 with padding in the middle",
        typed(_PLAIN, b"SGVsbG8=\nSGVsbG8=\n", "base64"),
        {"text": "HelloHello"},
    ),
    Kind(
        "base64 with words behind it",
        typed(_PLAIN, b"SGVsbG8=\n\n-- \nscanned by nobody\n", "base64"),
        {"text": "Hello"},
    ),
    Kind(
        "base64 that is none",
        typed(_PLAIN, b"Just some words, and no code.\n", "base64"),
        {"text": "Just some words, and no code."},
    ),
    Kind("base64 of one letter", typed(_PLAIN, b"A\n", "base64")),
    Kind("base64 on one line", typed(_PLAIN, base64.b64encode(b"Hello " * 20_000), "base64")),
    Kind("base64 that says 8bit", typed(_PLAIN, b"SGVsbG8=\n"), {"text": "SGVsbG8="}),
    Kind(
        "quoted-printable with bad codes",
        typed(_PLAIN, b"caf=C3=A9 =ZZ =4 =\nend=", "quoted-printable"),
        {"text": "café =ZZ =4 end"},
    ),
    Kind("quoted-printable in lower case", typed(_PLAIN, b"caf=c3=a9", "quoted-printable"), {"text": "café"}),
    Kind("quoted-printable of signs only", typed(_PLAIN, b"=" * 200_000, "quoted-printable")),
    Kind(
        "quoted-printable that hides a header",
        typed(_PLAIN, b"=0D=0A=0D=0ABcc: eve@evil.example", "quoted-printable"),
    ),
    Kind("quoted-printable cut in a character", typed(_PLAIN, b"caf=C3", "quoted-printable")),
    Kind("unknown encoding", typed(_PLAIN, b"Hello", "x-rot13"), {"text": "Hello"}),
    Kind("encoding with a comment", typed(_PLAIN, b"SGVsbG8=\n", "base64 (mime)"), {"text": "Hello"}),
    Kind("encoding in upper case with spaces", typed(_PLAIN, b"SGVsbG8=\n", "  BASE64 "), {"text": "Hello"}),
    Kind("encodings named twice", b"Content-Transfer-Encoding: base64\n" + typed(_PLAIN, b"Hello", "7bit")),
    Kind(
        "encoded multipart",
        b"Content-Transfer-Encoding: base64\n" + multipart(text("utf-8", b"inside")),
        {"text": "inside"},
    ),
    Kind("uuencode in the text", text("utf-8", b"See below.\n\n" + _UU)),
    Kind("uuencode as encoding", typed("application/octet-stream; name=cat.txt", _UU, "x-uuencode")),
    Kind("uuencode without an end", text("utf-8", b"begin 644 cat.txt\n" + b"M" + b"!" * 60 + b"\n" + b"M")),
    Kind(
        "uuencode of nonsense",
        typed("application/octet-stream", b"begin 999 x\n\xff\xfe\xfd~~~\n", "x-uuencode"),
    ),
    Kind("yEnc in the text", text("utf-8", b"=ybegin line=128 size=3 name=a\n\x8d\x8e\x8f\n=yend size=3\n")),
    Kind(
        "BinHex in the text",
        text("utf-8", b"(This file must be converted with BinHex 4.0)\n:$f*TEQKPH#jdH)\n:"),
    ),
    Kind("flowed text", typed("text/plain; format=flowed; delsp=yes", b"one \ntwo\n>> three \n")),
)

CONTAINERS = (
    Kind(
        "winmail.dat",
        with_file("application/ms-tnef", _base64(_tnef()), 'attachment; filename="winmail.dat"'),
    ),
    Kind("winmail.dat alone", typed("application/ms-tnef; name=winmail.dat", _base64(_tnef()), "base64")),
    Kind(
        "zip in zip",
        lambda: with_file("application/zip", _base64(_zip_bomb()), "attachment; filename=bomb.zip"),
    ),
    Kind(
        "gzip of zeros",
        lambda: with_file(
            "application/gzip", _base64(gzip.compress(bytes(10 * 1024**2))), "attachment; filename=a.gz"
        ),
    ),
    Kind(
        "workbook of entities",
        lambda: with_file("application/vnd.ms-excel", _base64(_entity_bomb()), "attachment; filename=a.xlsx"),
    ),
    Kind(
        "picture of a billion pixels",
        lambda: with_file("image/png", _base64(_png_bomb()), "inline; filename=a.png"),
    ),
    Kind(
        "signed and opaque",
        typed(
            "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            _base64(b"0\x80" * 200),
            "base64",
        ),
    ),
    Kind(
        "encrypted with PGP",
        multipart(
            part("application/pgp-encrypted", b"Version: 1"),
            part("application/octet-stream", b"-----BEGIN PGP MESSAGE-----\n"),
            subtype="encrypted",
        ),
    ),
    Kind(
        "calendar without an end",
        multipart(
            text("utf-8", b"Meet me."),
            part("text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 5000),
            subtype="alternative",
        ),
        {"text": "Meet me."},
    ),
    Kind(
        "program that says it is a picture",
        with_file("image/jpeg", _base64(b"MZ\x90\0"), 'attachment; filename="photo.jpg.exe"'),
    ),
)
