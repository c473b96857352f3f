"""What Mailroom says and reads on Kafka as an AsyncAPI 3.0 document, made from the contracts.

One document for each service and one for all of them. `make schemas` writes them into `docs/asyncapi`, and a
running service shows its own (`asyncapi_page.py`). FastStream's own output sees arrays of bytes in our batch
subscribers (design §4).

Source: AsyncAPI 3.0.0, and its bindings for Kafka 0.5.0.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from shared import contracts
from shared.contracts import dead_letters
from shared.contracts.compatibility import is_strictness
from shared.contracts.envelope import CONTENT_TYPE, SPECVERSION, Envelope
from shared.contracts.record import Part, Record, schema_of
from shared.readers import READERS, Reader
from shared.topic_configuration import configuration
from shared.topics import TOPICS, Topic

SERVICES = {
    "ingest": "Reads mailboxes, understands mail, and finds its conversation and its routes.",
    "activity": "Matches mail with Tickets; keeps their states, timers, contacts, links and timeline.",
    "notify": "Composes, signs and sends mail, and reports each recipient's result.",
}
WHOLE = "mailroom"
"""The name of the document about all services."""
DEAD_LETTER = "dead.letter"

SAMPLES = Path(contracts.__file__).parent / "samples"
_WHAT_IT_IS = "Turns shared mailboxes into tracked work: services that talk over topics and nothing else."
_BINDING = "0.5.0"
_SCHEMAS = "#/components/schemas/"

Json = dict[str, Any]


@cache
def document(name: str, prefix: str = "") -> Json:
    """The document of a service, or of all when `name` is `WHOLE`; `prefix` stands before topics' names."""
    services = tuple(SERVICES) if name == WHOLE else (name,)
    said = [(topic, service) for service in services for topic in TOPICS if topic.producer == service]
    read = [reader for reader in READERS if reader.service in services]
    concerned = {topic for topic, _ in said} | {reader.topic for reader in read}
    concerned |= {topic.answered_on for topic in concerned if topic.answered_on}
    topics = [topic for topic in TOPICS if topic in concerned]
    payloads, parts = _schemas(topics)
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:mailroom:{name}",
        "info": {
            "title": "Mailroom" if name == WHOLE else f"Mailroom {name}",
            "version": version("mailroom"),
            "description": _WHAT_IT_IS if name == WHOLE else SERVICES[name],
            "license": {"name": "GPL-3.0-or-later"},
            "tags": [{"name": service, "description": SERVICES[service]} for service in services],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The Kafka cluster of the deployment.",
                "variables": {
                    "bootstrap": {
                        "default": "localhost:9092",
                        "description": "host:port, as in MAILROOM_KAFKA_BOOTSTRAP",
                    }
                },
            }
        },
        "channels": {topic.name: _channel(topic, prefix, payloads) for topic in topics},
        "operations": {
            **{f"{service}.to.{topic.name}": _sending(topic, service) for topic, service in said},
            **{reader.consumer: _receiving(reader, prefix) for reader in read},
        },
        "components": {
            "schemas": {
                "CloudEvent": _cloud_event(),
                "DeadLetterHeaders": _dead_letter_headers(),
                **parts,
            }
        },
    }


# Topics and what stands in them


def _channel(topic: Topic, prefix: str, payloads: dict[type[Record], Json]) -> Json:
    settings = configuration(topic)
    messages = {name: _message(topic, name, payloads[model]) for name, model in topic.models.items()}
    return {
        "address": prefix + topic.name,
        "title": topic.name,
        "description": about(topic),
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": messages or {DEAD_LETTER: _dead_letter(topic)},
        "bindings": {
            "kafka": {
                "topic": prefix + topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [settings["cleanup.policy"]],
                    "retention.ms": int(settings["retention.ms"]),
                    "max.message.bytes": int(settings["max.message.bytes"]),
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _message(topic: Topic, name: str, payload: Json) -> Json:
    model = topic.models[name]
    sample = json.loads((SAMPLES / topic.name / f"{name}.json").read_text())
    said = paragraphs(model)
    return {
        "name": name,
        "title": re.sub(r"[._]", " ", name).capitalize(),
        "summary": said.partition("\n")[0],
        "description": said,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "allOf": [{"$ref": f"{_SCHEMAS}CloudEvent"}, {"properties": {"ce_type": {"const": name}}}],
        },
        "payload": schema_of(name, payload),
        "correlationId": _correlation(topic),
        "bindings": _key(topic, sample["key"]),
        "examples": [{"name": "sample", "headers": sample["headers"], "payload": sample["value"]}],
    }


def _dead_letter(topic: Topic) -> Json:
    return {
        "name": DEAD_LETTER,
        "title": "Dead letter",
        "summary": "A record that could not be worked on: its own key, bytes and headers, and the reason.",
        "contentType": "application/octet-stream",
        "headers": {"$ref": f"{_SCHEMAS}DeadLetterHeaders"},
        "payload": {"description": "the original value, untouched"},
        "bindings": _key(topic, "acme/9f3c5a7e1b2d4f60"),
        "examples": [{"name": "sample", "headers": dead_letters.SAMPLE, "payload": "{not json"}],
    }


def _key(topic: Topic, example: str) -> Json:
    key = {"type": "string", "description": described_key(topic), "examples": [example]}
    return {"kafka": {"key": key, "bindingVersion": _BINDING}}


def _correlation(topic: Topic) -> Json:
    """A request's id is its answers' cause; everything else belongs to a chain of cause and effect."""
    if topic.answered_on:
        where, why = "ce_id", "answers have it as their ce_causationid"
    elif any(each.answered_on is topic for each in TOPICS):
        where, why = "ce_causationid", "ce_id of the request that this answers"
    else:
        where, why = "ce_correlationid", "the same for everything that began with one mail or request"
    return {"location": f"$message.header#/{where}", "description": why}


def described_key(topic: Topic) -> str:
    """What the topic's records are keyed by, in words."""
    return f"<organisation>/<{topic.key}>" if topic.records is not None else topic.key


def about(topic: Topic) -> str:
    """What stands in a topic: what the module of its contract says first."""
    module = sys.modules[next(iter(topic.models.values())).__module__] if topic.models else dead_letters
    first = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0]
    return re.sub(r" \(`[^`]*`\)", "", " ".join(first.split()))


def paragraphs(model: type) -> str:
    """A model's docstring, a line for each of its paragraphs."""
    text = inspect.cleandoc(model.__doc__ or "")
    return "\n".join(" ".join(each.split()) for each in text.split("\n\n"))


# Who says and reads what


def _sending(topic: Topic, service: str) -> Json:
    return {
        "action": "send",
        "title": f"{service} writes {topic.name}",
        "channel": _channel_of(topic),
        "messages": _messages_of(topic),
        "tags": [{"name": service}],
        **_reply(topic),
    }


def _receiving(reader: Reader, prefix: str) -> Json:
    group = {"type": "string", "enum": [prefix + reader.consumer]}
    structured = "CloudEvents in structured mode are read as well as those in binary mode."
    return {
        "action": "receive",
        "title": f"{reader.service} reads {reader.topic.name}",
        **({"description": structured} if reader.topic.requests else {}),
        "channel": _channel_of(reader.topic),
        "messages": _messages_of(reader.topic),
        "tags": [{"name": reader.service}],
        "bindings": {"kafka": {"groupId": group, "bindingVersion": _BINDING}},
        **_reply(reader.topic),
    }


def _reply(topic: Topic) -> Json:
    answers = topic.answered_on
    return {"reply": {"channel": _channel_of(answers), "messages": _messages_of(answers)}} if answers else {}


def _channel_of(topic: Topic) -> Json:
    return {"$ref": f"#/channels/{topic.name}"}


def _messages_of(topic: Topic) -> list[Json]:
    return [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in topic.models or (DEAD_LETTER,)]


# Schemas


def _schemas(topics: Sequence[Topic]) -> tuple[dict[type[Record], Json], dict[str, Json]]:
    """The schema of each record, and by name those of the parts that records share."""
    models = list(dict.fromkeys(model for topic in topics for model in topic.models.values()))
    wanted = [(model, "validation") for model in models]
    places, made = models_json_schema(wanted, ref_template=_SCHEMAS + "{model}")  # type: ignore[arg-type]
    schemas = {name: _draft_7(schema) for name, schema in made.get("$defs", {}).items()}
    records = {
        model: schemas.pop(places[model, "validation"]["$ref"].removeprefix(_SCHEMAS)) for model in models
    }
    return records, schemas


def _draft_7(schema: Any) -> Any:
    """As AsyncAPI reads it: there nothing may stand beside a reference. Records pass unknown fields over."""
    if isinstance(schema, list):
        return [_draft_7(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and len(schema) > 1:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [{"$ref": schema["$ref"]}], **_draft_7(beside)}
    return {key: _draft_7(value) for key, value in schema.items() if not is_strictness(key, value)}


def _cloud_event() -> Json:
    schema = Envelope.model_json_schema()
    return {
        "type": "object",
        "title": "CloudEvent",
        "description": "CloudEvents 1.0 in Kafka's binary mode: header values are text in UTF-8.",
        "properties": {
            "ce_specversion": {"const": SPECVERSION, "description": "the version of CloudEvents"},
            "content-type": {"const": CONTENT_TYPE, "description": "the value is plain JSON"},
            **{f"ce_{name}": _draft_7(found) for name, found in schema["properties"].items()},
        },
        "required": ["ce_specversion", *(f"ce_{name}" for name in schema["required"])],
    }


def _dead_letter_headers() -> Json:
    return {
        "type": "object",
        "title": "DeadLetterHeaders",
        "description": "The original headers stay; these are added. Numbers are big-endian bytes.",
        "properties": {
            name: {"type": "string", "description": text} for name, text in dead_letters.MEANINGS.items()
        },
        "required": list(dead_letters.MEANINGS),
    }


def described() -> Iterator[type]:
    """Every record and part that the documents describe, and the envelope."""
    waiting: list[Any] = [Envelope, *(model for topic in TOPICS for model in topic.models.values())]
    seen: set[Any] = set()
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        waiting += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Part | Envelope):
            yield kind
            waiting += [field.annotation for field in kind.model_fields.values()]
