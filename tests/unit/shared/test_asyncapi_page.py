"""Every service shows what it says and reads, as a page and as AsyncAPI, and loads nothing from elsewhere."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.asyncapi import SERVICES, WHOLE, document
from shared.asyncapi_page import TEMPLATE, asyncapi_router, rendered
from shared.http import create_api
from shared.readers import READERS
from shared.topics import TOPICS

NAMES = (WHOLE, *SERVICES)


class Seen(HTMLParser):
    """What a browser would find in a page: anchors, links, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attributes:
            if name == "id":
                self.anchors.append(value or "")
            if name in ("href", "src", "srcset", "action", "data"):
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def seen(name: str) -> Seen:
    return Seen(rendered(name, "", "asyncapi/"))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    api = create_api("example", [asyncapi_router("notify", "blue.")])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_every_topic_and_record_of_its_document_with_all_fields(name: str) -> None:
    page = seen(name)
    for topic, channel in document(name)["channels"].items():
        assert topic in page.anchors
        for record, message in channel["messages"].items():
            assert f"{topic}/{record}" in page.anchors
            for field, schema in message["payload"].get("properties", {}).items():
                assert field in page.text
                assert schema["description"] in page.text


def test_a_page_says_who_writes_and_reads_a_topic_its_key_and_how_long_it_is_kept() -> None:
    page = " ".join(seen(WHOLE).text.split())
    for topic in TOPICS:
        key = f"<organisation>/<{topic.key}>" if topic.records is not None else topic.key
        assert f"Written by {topic.producer} Read by" in page
        assert f"Key {key} Partitions {topic.partitions} Kept" in page
    for reader in READERS:
        assert reader.consumer in page
    assert "Kept 30 days" in page
    assert "Kept for ever" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_link_inside_a_page_leads_somewhere(name: str) -> None:
    page = seen(name)
    assert len(page.anchors) == len(set(page.anchors))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.anchors)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_no_outside_address_and_runs_no_script(name: str) -> None:
    page = rendered(name, "", "")
    assert "://" not in page
    assert "@import" not in page
    assert "url(" not in page
    found = seen(name)
    assert not found.elements & {"script", "iframe", "img", "object", "embed"}
    assert [link for link in found.links if link.startswith("//") or ":" in link.removeprefix("data:,")] == []


def test_there_is_no_other_page_than_that() -> None:
    """A new one has to be looked through by the test above."""
    pages = [path for folder in ("shared", "services", "deploy") for path in Path(folder).rglob("*.html*")]
    assert [path.name for path in pages] == [TEMPLATE]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_pages_that_would_load_scripts_from_elsewhere_are_not_there(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_service_shows_its_own_and_lets_a_browser_load_nothing_more(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/asyncapi")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "blue.notify.requests.v1" in answer.text


async def test_a_service_gives_its_document_with_the_names_of_its_deployment(
    client: httpx.AsyncClient,
) -> None:
    served: Any = (await client.get("/asyncapi.json")).json()
    assert served == document("notify", "blue.")
    assert served["channels"]["notify.mails.v1"]["address"] == "blue.notify.mails.v1"


@pytest.mark.parametrize("start", ["/asyncapi", "/asyncapi/ingest"])
async def test_from_each_page_all_others_and_all_documents_can_be_reached(
    client: httpx.AsyncClient, start: str
) -> None:
    links = [link for link in Seen((await client.get(start)).text).links if link[0] not in "#d"]
    assert {link.rpartition("/")[2].removesuffix(".json") for link in links} == set(NAMES)
    for link in links:
        assert (await client.get(httpx.URL(start).join(link))).status_code == 200


async def test_a_name_that_is_none_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/asyncapi/bulk", "/asyncapi/bulk.json"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
