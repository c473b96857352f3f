"""The wiring of ingest: read it first."""

from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from services.ingest import api, gauges, retention
from services.ingest.handlers import subscriptions
from services.ingest.imap import Connect
from services.ingest.imap_aioimaplib import connect as connect_aioimaplib
from services.ingest.intake import Intake
from services.ingest.parsing.pool import ParserPool
from services.ingest.routing import Routing
from services.ingest.settings import IngestSettings
from services.ingest.supervision import Mailboxes
from shared.blobs import BlobStore
from shared.gauges import Gauges
from shared.http import create_api
from shared.kafka import Consumers
from shared.organisation import Organisations
from shared.postgres import make_pool, opened
from shared.relay import Relay
from shared.retention import Retention
from shared.service import Service
from shared.unit_of_work import UnitOfWork

NAME = "ingest"


def api_of(intake: Intake) -> FastAPI:
    """All that is asked over HTTP."""
    return create_api("Mailroom ingest", [api.routes(intake)])


def build(settings: IngestSettings, connect: Connect = connect_aioimaplib) -> Service:
    """The service, ready to run. `connect` opens IMAP sessions."""
    password, kafka = settings.postgres_password(), settings.kafka()
    pool = make_pool(settings.postgres_dsn, schema=NAME, application=f"mailroom {NAME}", password=password)
    work = UnitOfWork(pool, service=NAME, topic_prefix=settings.topic_prefix)
    parser = ParserPool(pages=settings.parser_processes)
    organisations = Organisations()
    intake = Intake(
        work=work,
        blobs=BlobStore(settings.blobs_url, NAME),
        parser=parser,
        keyring=settings.keyring(),
        organisations=organisations,
        routing=Routing(),
    )
    resources: tuple[AbstractAsyncContextManager[object], ...] = (opened(pool), parser)
    return Service(
        NAME,
        settings,
        components=(
            Mailboxes(intake, settings, connect),
            Consumers(work, subscriptions(intake), kafka=kafka),
            Relay(
                settings.postgres_dsn,
                service=NAME,
                kafka=kafka,
                topic_prefix=settings.topic_prefix,
                password=password,
            ),
            Gauges(work, gauges.looks(organisations)),
            Retention(settings, work, retention.rules(settings)),
        ),
        api=api_of(intake),
        resources=resources,
    )
