"""An example for every operation of an OpenAPI document, made from its schemas where none was given.

So the examples follow the models by themselves. A test holds each against its schema.
"""

import re
from collections.abc import Mapping
from typing import Any

JSON = "application/json"

_WORDS: Mapping[str, Any] = {
    "reference": "101203-T",
    "title": "Printer on the third floor",
    "description": "It prints only every second page.",
    "subject": "Printer on the third floor",
    "text": "Have you tried another cable?",
    "address": "anna@harbour.test",
    "sender": "anna@harbour.test",
    "name": "Anna Berg",
    "first_name": "Anna",
    "last_name": "Berg",
    "kind": "ticket",
    "status": "in_progress",
    "status_label": "In Progress",
    "process": "IT request",
    "category": "Hardware",
    "queue": "service-desk",
    "assignee": "amelie",
    "owner": "amelie",
    "user": "amelie",
    "mailbox": "help",
    "language": "en",
    "organisation": "acme",
    "media_type": "application/pdf",
    "conversation": "0123456789abcdef",
    "message_id": "5f0c@mailroom.test",
    "next": None,
    "after": "WzEwMTIwM10",
    "limit": 50,
    "Idempotency-Key": "5e0c6f0e-call-anna-back",
    "If-Match": '"7"',
    "Accept-Language": "fr-BE, en;q=0.5",
    "step": "pick_up",
    "permitted": True,
    "detail": "The server said that it is busy.",
    "reason": "deferred",
}
_FORMATS = {
    "uuid": "019cae6b-6600-7e2b-a7f5-8e99f9857065",
    "date-time": "2026-03-02T12:00:00Z",
    "date": "2026-03-02",
    "time": "09:00:00",
    "email": "anna@harbour.test",
    "uri": "https://mailroom.test/",
}
# Taken in turn for a text that has to look like something.
_TEXTS = ("help", "en", "101203-T", "anna@harbour.test", "0123456789abcdef", "09:00", "a", "1")
_PAGES = {
    "text/html": "<p>It prints only every second page.</p>",
    "text/plain": "It prints …",
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg"/>',
}
_PROBLEM = {
    "type": "urn:mailroom:problem:step_refused",
    "title": "The activity's rules refuse this step",
    "status": 409,
    "detail": "101203-T cannot be picked up while it is Resolved.",
    "code": "step_refused",
    "missing": [],
    "request_id": "5f0c2b1e-0a52-4d0c-9f3e-2f6f5f4b7a11",
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with an example wherever a body or an answer had none; it is changed in place."""
    schemas = document.get("components", {}).get("schemas", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _parameter(parameter, schemas)
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in (*bodies, *operation["responses"].values()):
                for media_type, content in body.get("content", {}).items():
                    _content(media_type, content, schemas)
    return document


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """A value that the schema takes; `name` is the field's. What may be left out has its default."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for given in (*schema.get("examples", ()), schema.get("example"), schema.get("const")):
        if given is not None:
            return given
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            if name in _WORDS and _WORDS[name] is None:
                return None
            return example_of(schema[choice][0], schemas, name)
    match schema.get("type"):
        case "object":
            return _object(schema, schemas)
        case "array":
            items = schema.get("prefixItems") or [schema.get("items", {})]
            return [example_of(each, schemas, name.removesuffix("s")) for each in items]
        case "string":
            return _text(schema, name)
        case "integer" | "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
            word = _WORDS.get(name)
            return word if isinstance(word, int) and word >= least else least
        case "boolean":
            return bool(_WORDS.get(name, False))
    return None if schema.get("type") == "null" else {}


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: each["default"]
        if name not in required and "default" in each
        else example_of(each, schemas, name)
        for name, each in schema.get("properties", {}).items()
    }


def _text(schema: Mapping[str, Any], name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1 << 30)
    for text in (_WORDS.get(name), *_TEXTS):
        if (
            isinstance(text, str)
            and least <= len(text) <= most
            and re.search(schema.get("pattern", ""), text)
        ):
            return text
    raise ValueError(f"give {name} an example: {dict(schema)}")


def _parameter(parameter: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    if parameter["name"].lower() == "idempotency-key":
        parameter["name"], parameter["required"] = "Idempotency-Key", True
    if parameter["required"] and "example" not in parameter:
        parameter["example"] = example_of(parameter["schema"], schemas, parameter["name"])


def _content(media_type: str, content: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    if "example" in content or "examples" in content:
        return
    if media_type == JSON and content.get("schema"):
        content["example"] = example_of(content["schema"], schemas)
    elif media_type in _PAGES:
        content["example"] = _PAGES[media_type]
    elif media_type == "application/problem+json":
        content["example"] = _PROBLEM
