"""Names of attachments come from strangers: a download's headers stay one header, and save a plain file."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.activity.api_mails import HTML_HEADERS
from services.activity.downloads import disposition


def test_a_name_survives_in_both_spellings() -> None:
    assert disposition("résumé 1.pdf") == (
        "attachment; filename=\"r_sum_ 1.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9%201.pdf"
    )


def test_folders_quotes_and_line_breaks_do_not_survive() -> None:
    made = disposition('..\\../a"b\r\nSet-Cookie: x')
    assert all(character not in made for character in "\r\n\\/")
    assert made.count('"') == 2


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_makes_one_header(name: str) -> None:
    made = disposition(name)
    assert made.startswith('attachment; filename="')
    assert made.isascii()
    assert made.isprintable()
    assert made.count('"') == 2


def test_html_of_mails_loads_and_runs_nothing() -> None:
    policy = HTML_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.endswith("sandbox")
