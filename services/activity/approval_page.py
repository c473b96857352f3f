"""The page behind an approver's link: HTML without scripts, and with nothing from elsewhere (A25)."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from services.activity.views_approvals import OtherApprover, Question

_STYLE = """
body { font: 16px/1.5 sans-serif; margin: 0; background: #f4f4f2; color: #222; }
main { max-width: 42rem; margin: 2rem auto; padding: 1.5rem 2rem; background: #fff; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
dt { font-weight: bold; } dd { margin: 0 0 .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
textarea { width: 100%; box-sizing: border-box; }
button { font: inherit; padding: .4rem 1.2rem; margin: .5rem .5rem 0 0; }
.wrong { color: #a00; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Of every answer about a link: it is a secret of the one whom it was sent to."""
PAGE_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


def asking(question: Question, wrong: str = "") -> str:
    """What is asked, with a form to answer. `wrong` says what was wrong with the last try."""
    lines = [
        f"<h1>{escape(question.title)}</h1>",
        f"<p>{escape(question.action)} ({escape(question.reference)}), {escape(question.process)}</p>",
        *_text(question.instructions),
        *_text(question.description),
        *_fields(question.fields),
        *_others(question.others),
    ]
    if question.levels > 1:
        lines.append(f"<p>Level {question.level} of {question.levels}</p>")
    if wrong:
        lines.append(f'<p class="wrong">{escape(wrong)}</p>')
    lines += [
        '<form method="post">',
        '<p><label for="comment">Comment, which has to be there if you decline:</label></p>',
        '<textarea id="comment" name="comment" rows="5" maxlength="10000"></textarea>',
        '<button name="decision" value="approve">Approve</button>',
        '<button name="decision" value="decline">Decline</button>',
        "</form>",
    ]
    return _page(f"Approval {question.reference}", lines)


def telling(heading: str, sentence: str) -> str:
    """What became of it, or why nothing can be decided by the link."""
    return _page("Approval", [f"<h1>{escape(heading)}</h1>", f"<p>{escape(sentence)}</p>"])


def _text(text: str) -> list[str]:
    return [f'<p class="text">{escape(text)}</p>'] if text.strip() else []


def _fields(fields: Iterable[tuple[str, str]]) -> list[str]:
    rows = [f"<dt>{escape(title)}</dt><dd>{escape(value)}</dd>" for title, value in fields]
    return ["<dl>", *rows, "</dl>"] if rows else []


def _others(others: Iterable[OtherApprover]) -> list[str]:
    said = {None: "has not answered yet", True: "has approved", False: "has declined"}
    rows = [f"<li>{escape(each.title)} {said[each.approved]}</li>" for each in others]
    return ["<p>Also asked:</p>", "<ul>", *rows, "</ul>"] if rows else []


def _page(title: str, lines: list[str]) -> str:
    body = "\n".join(lines)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex, nofollow">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
