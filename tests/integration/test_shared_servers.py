"""The fixtures that integration tests stand on (tests/support)."""

from email.message import EmailMessage

import aiosmtplib
import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from tests.support.databases import Database
from tests.support.waiting import eventually


async def test_a_record_goes_through_kafka(stack: Endpoints, topic_prefix: str) -> None:
    topic = f"{topic_prefix}records"
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    await admin.close()
    async with (
        AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True) as producer,
        AIOKafkaConsumer(
            topic, bootstrap_servers=stack.kafka_bootstrap, group_id=topic, auto_offset_reset="earliest"
        ) as consumer,
    ):
        await producer.send_and_wait(topic, b"value", key=b"key")
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_finds_its_own_schema_in_a_fresh_database(
    database: Database, service: str
) -> None:
    connection = await asyncpg.connect(database.dsn_of(service))
    try:
        assert await connection.fetchval("SELECT current_schema()") == service
        assert await connection.fetchval("SELECT to_regclass('outbox') IS NOT NULL")
    finally:
        await connection.close()


async def test_a_mail_is_delivered_to_the_base_mailbox_of_a_plus_address(
    stack: Endpoints, mailbox_domain: str
) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"sender@{mailbox_domain}", "hello"
    mail["To"] = f"info+101-t@{mailbox_domain}"
    mail.set_content("text")
    await aiosmtplib.send(mail, hostname=stack.smtp.host, port=stack.smtp.port)
    async with httpx.AsyncClient(base_url=stack.greenmail_api) as greenmail:

        async def delivered() -> list[object]:
            answer = await greenmail.get(f"/api/user/info@{mailbox_domain}/messages/INBOX")
            return answer.json() if answer.is_success else []

        assert len(await eventually(delivered)) == 1
