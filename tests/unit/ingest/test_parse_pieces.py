"""The small things that parsing is made of: charsets, file names, HTML."""

import pytest

from services.ingest.domain.addresses import canonical
from services.ingest.parsing import html, transfer
from services.ingest.parsing.charsets import decode, storable
from services.ingest.parsing.headers import HEADER_LIMIT
from services.ingest.parsing.mending import HEAD_LIMIT, mended
from shared.file_names import NAME_LIMIT, safe_name, unique_name


@pytest.mark.parametrize(
    ("content", "label", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode(), None, "Grüße"),
        ("Grüße".encode("latin-1"), None, "Grüße"),
        (b"\x80 5", "iso-8859-1", "€ 5"),
        ("Привет, как дела".encode("koi8-r"), "koi8-r", "Привет, как дела"),
        ("日本".encode("cp932"), "Shift_JIS", "日本"),
        ("안녕".encode("cp949"), '"ks_c_5601-1987"', "안녕"),
        ("é".encode() * 30 + b"\xc3", "utf-8", "é" * 30 + "\ufffd"),
        (b"\xef\xbb\xbfhello", "utf-8", "hello"),
        (b"plain", "unicode_escape", "plain"),
        (b"plain", "zlib", "plain"),
        (b"plain", "\x00\xff", "plain"),
        (b"+2AA-", "utf-7", "\ufffd"),
        (b"a\0b", "us-ascii", "ab"),
        (b"", "utf-16", ""),
        (b"plain words", "utf-16", "plain words"),
        ("Grü".encode() + b"\xc3", None, "Grü\ufffd"),
    ],
)
def test_text_is_read_whatever_the_label_says(content: bytes, label: str | None, text: str) -> None:
    assert decode(content, label)[0] == text


def test_a_long_foreign_text_with_a_wrong_label_is_guessed() -> None:
    russian = "Здравствуйте, мой заказ до сих пор не пришёл. Пожалуйста, проверьте. " * 5
    text, defect = decode(russian.encode("cp1251"), "utf-8")
    assert text == russian
    assert defect is not None


def test_stored_text_has_no_nul_and_no_lone_surrogate() -> None:
    assert storable("a\0b") == "ab"
    assert storable("a\udc80b") == "a\ufffdb"
    assert storable("\ufeffa😀") == "a😀"


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "attachment-1.pdf"),
        ("", "attachment-1.pdf"),
        (" . ", "attachment-1.pdf"),
        (".htaccess", "htaccess"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("a\r\nb\x00c.txt", "a_bc.txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ('what?<is>"this"|.txt', "what_is_this_.txt"),
        ("file.txt:stream", "file.txt_stream"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_file_name_cannot_leave_its_folder(written: str, safe: str) -> None:
    assert safe_name(storable(written), "application/pdf", "attachment-1") == safe


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("é" * 300 + ".pdf", "application/pdf", "attachment-1")
    assert len(name.encode()) <= NAME_LIMIT
    assert name.endswith(".pdf")


def test_names_are_unique_in_any_case_of_letters() -> None:
    taken: set[str] = set()
    assert [unique_name(name, taken) for name in ("a.txt", "A.TXT", "a.txt", "a (2).txt")] == [
        "a.txt",
        "A (2).TXT",
        "a (3).txt",
        "a (2) (2).txt",
    ]


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<img src='https://t.example/p.gif'>", "<img>"),
        ("<img src='//t.example/p.gif'>", "<img>"),
        ("<img src='data:image/svg+xml;base64,AAAA'>", "<img>"),
        ("<img src='CID:a@b'>", '<img src="CID:a@b">'),
        ("<img srcset='https://t.example/p.gif 2x'>", "<img>"),
        ("<td background='https://t.example/p.gif'>a</td>", "a"),
        ("<a href='vbscript:x'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href=' java&#x0A;script:x'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='/relative'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<p style='background:url(https://t.example)'>a</p>", "<p>a</p>"),
        ("<p style='color:u\\72l(https://t.example)'>a</p>", "<p>a</p>"),
        ("<p style='position:fixed;color:red'>a</p>", '<p style="color:red">a</p>'),
        ("<svg><script>x</script></svg>a", "a"),
        ("<math><mtext><style><img src=x onerror=y></style></mtext></math>a", "a"),
        ("<link rel=stylesheet href='https://t.example'><base href='https://t.example'>a", "a"),
        ("<meta http-equiv=refresh content='0;https://t.example'>a", "a"),
        ("<!-- <b> -->a", "a"),
        ("<form action='https://t.example'><input>a</form>", "a"),
    ],
)
def test_html_keeps_only_what_formats_text(written: str, clean: str) -> None:
    assert html.sanitise(written) == clean


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree"),
        ("one<br>two<hr>three", "one\ntwo\n---\nthree"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("<pre>one\n  two</pre>", "one\ntwo"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ('<a title="a>b" href="https://x.example">link</a>', "link"),
        ('<img alt="a picture">', "a picture"),
    ],
)
def test_html_reads_well_as_plain_text(written: str, text: str) -> None:
    assert html.to_text(html.sanitise(written)) == text


def test_html_that_would_take_too_long_is_kept_as_text() -> None:
    assert html.too_complex("<b>" * 6000 + "x")
    assert html.too_complex("<p>x</p>" * 30_000)
    assert html.too_complex("<p>" + "&nbsp;" * 60_000)
    assert not html.too_complex("<p>x</p>" * 3000)
    assert html.strip("<b>" * 6000 + "x &amp; y" + "<" * 100_000).startswith("x & y")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("Jane@Example.ORG.", "Jane@example.org"),
        ("jane@MÜLLER.example", "jane@xn--mller-kva.example"),
        ('"jane"@example.org', "jane@example.org"),
        ("jane@[192.0.2.1]", "jane@[192.0.2.1]"),
        ("a@b@c", None),
        ("jane@..", None),
        ("jane@example.org..", "jane@example.org"),
        ("jane", None),
        ("jane doe@example.org", None),
        ("@example.org", None),
        ("jane@", None),
        ("a" * 250 + "@example.org", None),
    ],
)
def test_an_address_has_one_spelling(written: str, spelled: str | None) -> None:
    assert canonical(written) == spelled


@pytest.mark.parametrize(
    ("content", "encoding", "read"),
    [
        (b"SGVsbG8=", "base64", b"Hello"),
        (b"SGVs\r\nbG8", "BASE64 ", b"Hello"),
        (b"SGVs!bG8sI", "base64 (mime)", b"Hello,"),
        (b"SGVsbG8=SGVsbG8=", "base64", b"HelloHello"),
        (b"SGVsbG8=\r\n-- \r\nscanned by nobody", "base64", b"Hello"),
        (b"=" * 10_000, "base64", b""),
        (b"no code at all", "base64", b"no code at all"),
        (b"caf=C3=A9 =ZZ", "quoted-printable", "café =ZZ".encode()),
        (b"begin 644 a\n#0V%T\n#\x010%%\n`\nend\nbehind", "x-uuencode", b"Cat"),
        (b"no begin", "uuencode", b"no begin"),
        (b"as it is", "x-unknown", b"as it is"),
        (b"as it is", "", b"as it is"),
    ],
)
def test_an_encoding_is_read_as_mildly_as_can_be(content: bytes, encoding: str, read: bytes) -> None:
    assert transfer.decode(content, encoding) == read


def test_an_ordinary_head_is_left_as_it_is() -> None:
    raw = b"Subject: x\r\n\r\n" + b"y" * HEAD_LIMIT * 2
    assert mended(raw) == (raw, [])


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_head_that_is_too_long_keeps_the_beginning_of_each_field(end: bytes) -> None:
    fields = [b"To: " + b"a@x.example, " * 20_000, b"Subject: x", b"X-Long: " + b"y" * 200_000, b"Date: z"]
    read, defects = mended(end.join((*fields, b"", b"body")))
    head, _, body = read.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert [line.split(b":")[0] for line in lines] == [b"To", b"Subject", b"X-Long", b"Date"]
    assert lines[0].endswith(b" a@x.example,"), "no address is cut in two"
    assert all(len(line) <= HEAD_LIMIT for line in lines)
    assert len(head) <= HEADER_LIMIT
    assert body == b"body"
    assert defects
