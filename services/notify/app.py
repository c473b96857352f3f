"""The wiring of notify: what it reads, what works for it, what it answers. Read this first."""

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from services.notify import api, retention
from services.notify.handlers import Handlers, refuse
from services.notify.outgoing import Outgoing
from services.notify.sender import RequireOwnHistory, Sender
from services.notify.settings import NotifySettings
from shared import relay_history
from shared.blobs import BlobStore
from shared.gauges import Gauges
from shared.http import create_api
from shared.kafka import Consumers
from shared.kafka_access import KafkaAccess
from shared.keyring import Keyring
from shared.organisation import Organisations
from shared.organisation_copy import Announcements, copied, on_organisation
from shared.postgres import make_pool, opened
from shared.relay import PAGE_ROWS, Relay
from shared.retention import Retention
from shared.service import Service
from shared.topics import ACTIVITY_ORGANISATION, NOTIFY_REQUESTS
from shared.unit_of_work import Subscription, UnitOfWork

SERVICE = "notify"
ORGANISATION_CONSUMER = "notify.organisation"


def subscriptions(handlers: Handlers) -> Sequence[Subscription]:
    """Which topic is read by whom, and who works on it."""
    return (
        Subscription(ACTIVITY_ORGANISATION, ORGANISATION_CONSUMER, on_organisation),
        Subscription(NOTIFY_REQUESTS, "notify.requests", handlers.on_requests, inbox=False, refuse=refuse),
    )


def require_own_history(settings: NotifySettings, kafka: KafkaAccess) -> RequireOwnHistory:
    """What the sender asks before it sends: mail cannot be taken back."""
    return partial(
        relay_history.require_own_history,
        service=SERVICE,
        kafka=kafka,
        prefix=settings.topic_prefix,
        rows=4 * PAGE_ROWS,
    )


def api_of(work: UnitOfWork) -> FastAPI:
    """All that is asked over HTTP."""
    return create_api(SERVICE, [api.routes(work)])


def build(settings: NotifySettings) -> Service:
    """The service, ready to run. Raises `SettingsError`."""
    kafka = settings.kafka()
    pool = make_pool(
        settings.postgres_dsn,
        schema=SERVICE,
        application=SERVICE,
        password=settings.postgres_password(),
    )
    work = UnitOfWork(pool, service=SERVICE, topic_prefix=settings.topic_prefix)
    keyring = Keyring.parse(settings.secret(settings.token_keys))
    blobs = BlobStore(settings.blobs_url, SERVICE)
    organisations = Organisations(Announcements(kafka, settings.topic_prefix, copied(ORGANISATION_CONSUMER)))
    handlers = Handlers(organisations, Outgoing(keyring, blobs))
    return Service(
        SERVICE,
        settings,
        components=(
            Consumers(work, subscriptions(handlers), kafka=kafka),
            Relay(
                settings.postgres_dsn,
                service=SERVICE,
                kafka=kafka,
                topic_prefix=settings.topic_prefix,
                password=settings.postgres_password(),
            ),
            Sender(
                settings, work, blobs, organisations, require_own_history=require_own_history(settings, kafka)
            ),
            Gauges(work),
            Retention(settings, work, retention.rules(settings)),
        ),
        api=api_of(work),
        resources=(opened(pool),),
    )
