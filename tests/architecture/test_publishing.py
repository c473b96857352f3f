"""`docs/publishing.md` names every topic with those who write and read it."""

from shared.readers import READERS
from shared.rights import readers, writers
from shared.topics import TOPICS
from tests.support.pages import table

ACCESS = {
    name: (writes.split(", "), reads.split(", "))
    for name, writes, reads in table("docs/publishing.md", "access")
}


def test_every_topic_is_there_with_its_producer() -> None:
    assert list(ACCESS) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        writers, _ = ACCESS[topic.name]
        assert topic.producer in (*writers, "anyone allowed to")
        assert ("other systems" in writers) == (topic.producer == "anyone allowed to")


def test_every_service_reads_what_it_subscribes_to() -> None:
    for reader in READERS:
        assert reader.service in ACCESS[reader.topic.name][1]


def test_who_writes_and_reads_has_the_rights_to() -> None:
    for topic in TOPICS:
        writes, reads = ACCESS[topic.name]
        assert writers(topic) == set(writes) - {"other systems"}
        assert readers(topic) <= set(reads)
