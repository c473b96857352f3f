"""What a service says and reads, as a page for people (`/asyncapi`) and as a document (`/asyncapi.json`).

Rendered here from the document, without scripts and without anything from elsewhere; a browser is told so.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import JsonLexer

from shared.asyncapi import SERVICES, WHOLE, document
from shared.readers import READERS
from shared.topics import TOPICS, Topic

TEMPLATE = "asyncapi_page.html"
HEADERS = {
    # Even if something from elsewhere got into the page, no browser would fetch it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Referrer-Policy": "no-referrer",
}

Json = dict[str, Any]


def asyncapi_router(service: str, topic_prefix: str) -> APIRouter:
    """`/asyncapi` and `/asyncapi.json` of a service, `/asyncapi/<name>` and `.json` of any and of the whole.

    Like the health pages: no version, no authentication, not in the OpenAPI.
    """
    router = APIRouter(include_in_schema=False)

    def known(name: str) -> str:
        if name not in (WHOLE, *SERVICES):
            raise HTTPException(404)
        return name

    # Not coroutines: the first time takes a moment, which the event loop does not have.
    @router.get("/asyncapi")
    def page() -> HTMLResponse:
        return HTMLResponse(rendered(service, topic_prefix, "asyncapi/"), headers=HEADERS)

    @router.get("/asyncapi.json")
    def own() -> JSONResponse:
        return JSONResponse(document(service, topic_prefix))

    @router.get("/asyncapi/{name}.json")
    def other(name: str) -> JSONResponse:
        return JSONResponse(document(known(name), topic_prefix))

    @router.get("/asyncapi/{name}")
    def other_page(name: str) -> HTMLResponse:
        return HTMLResponse(rendered(known(name), topic_prefix, ""), headers=HEADERS)

    return router


@cache
def rendered(name: str, topic_prefix: str, beside: str) -> str:
    """The page of a document. `beside` is the way from the page to where the pages of all documents lie."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"prose": prose, "coloured": coloured}
    described = document(name, topic_prefix)
    schemas = described["components"]["schemas"]
    return environment.get_template(TEMPLATE).render(
        name=name,
        whole=WHOLE,
        services=SERVICES,
        info=described["info"],
        beside=beside,
        topics=[_topic(topic, described) for topic in TOPICS if topic.name in described["channels"]],
        envelope=list(fields(schemas["CloudEvent"])),
        letter=list(fields(schemas["DeadLetterHeaders"])),
        parts={
            part: (schema, list(fields(schema)))
            for part, schema in sorted(schemas.items())
            if part not in ("CloudEvent", "DeadLetterHeaders")
        },
    )


@dataclass(frozen=True)
class Field:
    """A row of a table of fields. `limits` are bounds and pattern, and what holds when it is left out."""

    name: str
    type: Markup
    limits: Markup
    meaning: str
    required: bool


def fields(schema: Json) -> Iterator[Field]:
    """The fields of an object, those that have to be there first."""
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    for name in sorted(properties, key=lambda each: each not in required):
        found = properties[name]
        yield Field(name, type_of(found), limits_of(found), found.get("description", ""), name in required)


_FORMATS = {"date-time": "time", "uuid": "UUID"}
_TYPES = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "yes or no",
    "object": "object",
}


def type_of(schema: Json) -> Markup:
    """A type in words; the name of a part leads to it."""
    if "$ref" in schema:
        part = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#part-{0}">{0}</a>').format(part)
    if "allOf" in schema:
        return type_of(schema["allOf"][0])
    if "anyOf" in schema:
        kinds = [type_of(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return Markup(" or ").join(kinds)
    if "const" in schema or "enum" in schema:
        values = schema.get("enum") or [schema["const"]]
        return Markup(" <i>or</i> ").join(Markup("<code>{}</code>").format(value) for value in values)
    if schema.get("type") == "array":
        return Markup("list of ") + type_of(schema["items"])
    if isinstance(values := schema.get("additionalProperties"), dict):
        return Markup("map to ") + type_of(values)
    return escape(_FORMATS.get(schema.get("format", "")) or _TYPES.get(schema.get("type", ""), "bytes"))


def limits_of(schema: Json) -> Markup:
    """Bounds, pattern and default of a value, as far as there are any."""
    core = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    core = core.get("items", core)
    said = [
        text.format(core[key])
        for key, text in (
            ("pattern", Markup("<code>{}</code>")),
            ("minimum", Markup("at least {}")),
            ("maximum", Markup("at most {}")),
            ("maxLength", Markup("at most {:,} characters")),
        )
        if key in core
    ]
    if schema.get("minItems"):
        said.append(Markup("at least {}").format(schema["minItems"]))
    default = schema.get("default")
    if default not in (None, [], {}, "") and "const" not in schema:
        said.append(Markup("default <code>{}</code>").format(json.dumps(default)))
    return Markup(", ").join(said)


def _topic(topic: Topic, described: Json) -> Json:
    channel = described["channels"][topic.name]
    return {
        "name": topic.name,
        "address": channel["address"],
        "about": channel["description"],
        "key": next(iter(channel["messages"].values()))["bindings"]["kafka"]["key"]["description"],
        "partitions": topic.partitions,
        "kept": kept(topic),
        "written_by": topic.producer,
        "read_by": [(each.service, each.consumer) for each in READERS if each.topic is topic],
        "requests": topic.requests,
        "answered_on": topic.answered_on.name if topic.answered_on else None,
        "answers": [each.name for each in TOPICS if each.answered_on is topic],
        "messages": [
            {**message, "fields": list(fields(message["payload"]))}
            for message in channel["messages"].values()
        ],
    }


def kept(topic: Topic) -> str:
    """For how long records stay in a topic, in words."""
    if topic.compacted:
        return "the newest record of each key, for ever"
    return "for ever" if topic.retention is None else f"{topic.retention // timedelta(days=1)} days"


def prose(text: str) -> Markup:
    """A docstring's text with its `code` marked up."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if code else escape(part)
        for code, part in ((place % 2, part) for place, part in enumerate(text.split("`")))
    )


def coloured(value: Any) -> Markup:
    """JSON, indented, with a class for what each part of it is."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return Markup(highlight(text, JsonLexer(), HtmlFormatter(nowrap=True)))  # noqa: S704  # Pygments escapes
