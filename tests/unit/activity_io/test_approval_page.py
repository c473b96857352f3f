"""The page behind an approver's link shows what strangers wrote, and lets none of it act (A25)."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from services.activity import approval_page as page
from services.activity.views_approvals import OtherApprover, Question

HOSTILE = (
    """<script>alert(1)</script><img src=x onerror="alert(2)">'"--></style></textarea></form>&#x3c;b&gt;"""
)


class Reader(HTMLParser):
    """All elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def question(text: str) -> Question:
    return Question(
        reference="10040-C-A1.1",
        action=text,
        instructions=text,
        process=text,
        title=text,
        description=text,
        fields=((text, text),),
        others=(OtherApprover(text, None), OtherApprover("Karim", True), OtherApprover("Zoe", False)),
        level=2,
        levels=3,
    )


def test_a_hostile_title_is_text_and_nothing_else() -> None:
    plain, hostile = (Reader(page.asking(question(text), text)) for text in ("Nora", HOSTILE))
    assert (hostile.tags, hostile.attributes) == (plain.tags, plain.attributes)
    assert "script" not in hostile.tags
    assert not [name for name in hostile.attributes if name.startswith("on")]
    shown = page.asking(question(HOSTILE))
    assert HOSTILE not in shown
    assert unescape(shown).count(HOSTILE) == 8
    told = page.telling(HOSTILE, HOSTILE)
    assert HOSTILE not in told


def test_it_has_a_form_that_goes_where_it_came_from() -> None:
    shown = page.asking(question("Nora starts"))
    assert '<form method="post">' in shown
    assert {"approve", "decline"} == {*re.findall(r'name="decision" value="(\w+)"', shown)}
    assert "Level 2 of 3" in shown
    for said in ("Karim has approved", "Zoe has declined", "has not answered yet"):
        assert said in shown


@pytest.mark.parametrize("wanted", ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"])
def test_its_policy_lets_nothing_in(wanted: str) -> None:
    policy = page.PAGE_HEADERS["Content-Security-Policy"]
    assert wanted in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert page.PAGE_HEADERS["Cache-Control"] == "private, no-store"
    assert page.PAGE_HEADERS["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.PAGE_HEADERS["X-Robots-Tag"]
