"""Templates: text by people who configure Mailroom, filled with what we know of the activity.

Jinja's sandbox, without its global functions: a template shows variables and chooses between texts. A
variable that is missing is an error, never an empty space in a customer's mail.
"""

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.mail import Refused, TemplateText

LAST_RESORT = "en"
RENDERED_LIMIT = 256 * 1024
"""Characters of one rendered part."""


class _Sandbox(ImmutableSandboxedEnvironment):
    # The only ways for a template without functions to ask for a lot of memory or time.
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise TemplateError(f"a template may not use {operator!r}")


def _environment(autoescape: bool) -> _Sandbox:
    environment = _Sandbox(undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=True)
    environment.globals.clear()
    return environment


_PLAIN = _environment(autoescape=False)
_HTML = _environment(autoescape=True)


def choose(texts: Mapping[str, TemplateText], language: str) -> TemplateText:
    """The text in `language`, or in its base language, or in English (NT-1)."""
    for candidate in (language, language.partition("-")[0], LAST_RESORT):
        if candidate in texts:
            return texts[candidate]
    raise Refused("template_language_missing", f"The template exists neither in {language!r} nor in English.")


def render(template: TemplateText, variables: Mapping[str, str]) -> TemplateText:
    """The template with its variables filled in; `html` is always there.

    Raises `Refused` when a variable is missing or the template itself is wrong.
    """
    subject = _render(template.subject, variables, html=False).strip()
    text = _render(template.text, variables, html=False)
    html = html_of(text) if template.html is None else _render(template.html, variables, html=True)
    return TemplateText(subject, text, html)


def html_of(text: str) -> str:
    """Plain text as HTML: paragraphs at empty lines, line breaks kept, everything escaped."""
    paragraphs = [part for part in text.replace("\r\n", "\n").strip().split("\n\n") if part.strip()]
    body = "\n".join(
        f"<p>{escape(part.strip(chr(10))).replace(chr(10), '<br>' + chr(10))}</p>" for part in paragraphs
    )
    return f'<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"></head>\n<body>\n{body}\n</body>\n</html>\n'


def _render(source: str, variables: Mapping[str, str], *, html: bool) -> str:
    try:
        rendered = _compiled(source, html).render(variables)
    except UndefinedError as error:
        raise Refused(
            "template_variable_missing", f"The template needs more than it is given: {error}."
        ) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise Refused("template_broken", f"The template cannot be rendered: {error}.") from error
    if len(rendered) > RENDERED_LIMIT:
        raise Refused("template_too_long", f"The template makes more than {RENDERED_LIMIT} characters.")
    return rendered


@lru_cache(maxsize=512)
def _compiled(source: str, html: bool) -> Template:
    return (_HTML if html else _PLAIN).from_string(source)
