"""Reads HTML as a browser would, and refuses what it would run or fetch."""

from html.parser import HTMLParser

RUN_OR_LOAD = frozenset(
    {"script", "iframe", "object", "embed", "form", "input", "svg", "style", "link", "meta", "base"}
)
SCHEMES = ("http:", "https:", "mailto:", "tel:", "cid:")


class Inspector(HTMLParser):
    """Raises `AssertionError` with what is dangerous."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in RUN_OR_LOAD, tag
        for name, value in attrs:
            written = (value or "").lower()
            assert not name.startswith("on"), name
            assert name not in ("srcset", "background", "poster", "action"), name
            assert name != "src" or written.startswith("cid:"), written
            assert name != "href" or written.startswith(SCHEMES), written
            assert name != "style" or "url(" not in written, written


def inspect(html: str) -> None:
    """Raises `AssertionError` if a browser would run or fetch anything."""
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
