"""HTML that may be shown: without scripts, forms, frames, or anything that asks another server."""

import html as entities
import re
from collections.abc import Iterator
from itertools import pairwise

import nh3

LENGTH_LIMIT = 2 * 1024 * 1024
"""Characters. Longer HTML is kept as text only."""
TEXT_LIMIT = 8 * 1024 * 1024
"""Characters of HTML of which the text is kept."""
TAG_LIMIT = 50_000
UNCLOSED_LIMIT = 5_000
"""Tags that stay open. The sanitiser needs time by the square of their number: 0.9 s for 20 000."""
ENTITY_LIMIT = 50_000
"""Signs that are written as entities. In one run of text, they take it time by the square of their number."""
_PIECE = 1024 * 1024

_TAGS = """
    a abbr address article b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt
    em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main ol p pre q s samp
    section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr
"""
_DROPPED_WITH_CONTENT = """
    script style title template noscript iframe object embed svg math select textarea button
"""
_SIZED = {"align", "valign", "width", "height", "bgcolor"}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", *_SIZED},
    "table": {"border", "cellpadding", "cellspacing", *_SIZED},
    **{tag: {"colspan", "rowspan", *_SIZED} for tag in ("td", "th")},
    **{tag: set(_SIZED) for tag in ("tr", "tbody", "thead", "tfoot", "col", "colgroup", "div", "p")},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
}
# No property that takes an image, and none that moves things over the page around the mail.
_STYLES = """
    color background-color font-family font-size font-style font-weight font-variant line-height text-align
    text-decoration text-indent text-transform vertical-align white-space direction word-break
    width max-width min-width height padding padding-top padding-right padding-bottom padding-left
    margin margin-top margin-right margin-bottom margin-left
    border border-top border-right border-bottom border-left border-color border-style border-width
    border-collapse border-spacing border-radius list-style-type
"""


_ACTIVE_STYLE = re.compile(r"\\|url\s*\(|expression|image-set", re.IGNORECASE)


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if value[:4].lower() == "cid:" else None
    if attribute == "style" and _ACTIVE_STYLE.search(value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags=set(_DROPPED_WITH_CONTENT.split()),
    attributes=_ATTRIBUTES,
    attribute_filter=_keep,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    url_relative="deny",
    filter_style_properties=set(_STYLES.split()),
)

_PRE = re.compile(r"(<pre\b[^<>]*>.*?</pre>)", re.DOTALL)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_PARAGRAPH = re.compile(r"</?(?:p|h[1-6]|blockquote|pre|table|ul|ol|dl)\b[^<>]*>")
_BREAK = re.compile(r"<br\b[^<>]*>")
_BLOCK = re.compile(r"</?(?:div|tr|li|dt|dd|section|article|header|footer|address|figure)\b[^<>]*>")
# Stands for the edge of a block until the edges that touch become one line end. Storable text has none.
_EDGE = "\0"
_ITEM = re.compile(r"<li\b[^<>]*>")
_CELL = re.compile(r"</t[dh]>")
_RULE = re.compile(r"<hr\b[^<>]*>")
_ANY = re.compile(r"<[^<>]*>")
_ALT = re.compile(r'<img\b[^<>]* alt="([^"]*)"[^<>]*>')
_BLANK_LINES = re.compile(r"\n{3,}")


def too_complex(html: str) -> bool:
    """Whether sanitising would take too long."""
    tags, closing = html.count("<"), html.count("</")
    if len(html) > LENGTH_LIMIT or tags > TAG_LIMIT or tags - 2 * closing > UNCLOSED_LIMIT:
        return True
    return html.count("&") + html.count("\xa0") > ENTITY_LIMIT


def sanitise(html: str) -> str:
    """The HTML reduced to what formats text; remote images go, `cid:` images stay."""
    return _CLEANER.clean(html)


def to_text(sanitised: str) -> str:
    """Plain text of *sanitised* HTML, where every `<` begins a tag and no attribute holds one."""
    parts = _PRE.split(sanitised)
    flat = "".join(part if index % 2 else _SPACES.sub(" ", part) for index, part in enumerate(parts))
    for pattern, instead in (
        (_ALT, r"\1"),
        (_ITEM, f"{_EDGE}- "),
        (_RULE, "\n---\n"),
        (_PARAGRAPH, "\n\n"),
        (_BREAK, "\n"),
        (_BLOCK, _EDGE),
        (_CELL, "\t"),
        (_ANY, ""),
    ):
        flat = pattern.sub(instead, flat)
    blocks = (block.strip(" \t") for block in flat.split(_EDGE))
    return _tidy(entities.unescape("\n".join(block for block in blocks if block)))


def strip(html: str) -> str:
    """Text of HTML that is too complex to understand: its tags cut out, in linear time and little memory."""
    pieces = (html[start:end] for start, end in pairwise(_cuts(html)))
    return " ".join(_tidy(entities.unescape(_ANY.sub(" ", piece))) for piece in pieces)


def _cuts(html: str) -> Iterator[int]:
    """Where it can be cut without cutting a tag: right before one."""
    cut = 0
    while cut >= 0:
        yield cut
        cut = html.find("<", cut + _PIECE)
    yield len(html)


def from_text(text: str) -> str:
    """Plain text as HTML, for mails that have parts of both."""
    lines = entities.escape(text, quote=False).splitlines()
    return f"<div>{'<br>'.join(lines)}</div>"


def _tidy(text: str) -> str:
    # No regular expression for the spaces: `[ ]*\n` takes quadratic time on a long run of them.
    lines = (line.strip(" \t") for line in text.replace("\xa0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
