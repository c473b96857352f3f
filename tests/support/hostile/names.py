"""Files whose names want to leave their folder, or to be something else (RFC 2183, 2231)."""

from tests.support.hostile.kind import Kind, multipart, part, text, with_file


def _named(name: str, parameter: str, *, safe: str | None = None) -> Kind:
    content = with_file("application/x-thing", b"c2FmZQ==", f"attachment; {parameter}")
    return Kind(f"file named {name}", content, {"names": (safe,)} if safe else {})


NAMES = (
    _named("with a path", 'filename="../../../../etc/passwd"', safe="passwd"),
    _named("with a path of Windows", r'filename="..\\..\\boot.ini"', safe="boot.ini"),
    _named("with an absolute path", 'filename="/etc/cron.d/evil"', safe="evil"),
    _named("with a drive", r'filename="C:\\autoexec.bat"', safe="autoexec.bat"),
    _named("with a share", r'filename="\\\\host\\share\\x.exe"', safe="x.exe"),
    _named("with a stream", 'filename="a.txt:evil.exe"', safe="a.txt_evil.exe"),
    _named("of two dots", 'filename=".."', safe="attachment-1"),
    _named("of spaces", 'filename="   "'),
    _named("of nothing", 'filename=""'),
    _named("like a device", 'filename="CON.txt"', safe="_CON.txt"),
    _named("like a device with a path", 'filename="x/../NUL"', safe="_NUL"),
    _named("with a line break", 'filename="a\n b.txt"'),
    _named("with NUL", "filename*=utf-8''a%00.exe%00.txt"),
    _named("with an encoded path", "filename*=utf-8''%2e%2e%2f%2e%2e%2fetc%2fpasswd", safe="passwd"),
    _named("in continuations", 'filename*0="../"; filename*1="../a"; filename*2=".txt"'),
    _named("in a thousand continuations", "; ".join(f'filename*{n}="a"' for n in range(1000))),
    _named(
        "in lying continuations", "filename*0*=klingon-8'xx'%ff; filename*7=b; filename*-1=c; filename*x=d"
    ),
    _named("in an encoded word", 'filename="=?utf-8?Q?..=2F..=2Fevil=2Esh?="'),
    _named("in a cut encoded word", 'filename="=?utf-8?B?Li4v?= =?utf-8?B?4oI=?="'),
    _named("from right to left", "filename*=utf-8''invoice%E2%80%AEfdp.exe", safe="invoice_fdp.exe"),
    _named(
        "with full-width slashes",
        "filename*=utf-8''%EF%BC%8E%EF%BC%8E%EF%BC%8Fetc%EF%BC%8Fpasswd",
        safe="．．_etc_passwd",
    ),
    _named("in combining letters", "filename*=utf-8''e%CC%81.txt", safe="é.txt"),
    _named("of a kilobyte", f'filename="{"a" * 1000}.txt"'),
    _named("of a kilobyte in Chinese", "filename*=utf-8''" + "%E4%B8%AD" * 1000 + ".txt"),
    _named("of an extension only", f'filename=".{"x" * 300}"'),
    _named("in semicolons without an end", 'filename="' + ";" * 200_000),
    _named("in parameters without an end", "; ".join(["a=b"] * 50_000)),
    _named("like a shell", 'filename="$(reboot);`reboot`|x&.txt"'),
    _named("like HTML", "filename*=utf-8''%3Cscript%3Ealert(1)%3C%2Fscript%3E.html"),
    _named("like a hidden file", 'filename=".htaccess"', safe="htaccess"),
    Kind(
        "files of one name",
        multipart(
            text("utf-8", b"two"),
            *[part("application/x-a; name=A.txt", b"x"), part("application/x-a; name=a.TXT", b"y")] * 2,
        ),
    ),
    Kind("file without a type", multipart(text("utf-8", b"x"), b"Content-Disposition: attachment\n\nfile\n")),
    Kind("file with a type that is a path", with_file("../../evil/../type", b"eA==", "attachment")),
)
