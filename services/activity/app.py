"""The wiring of activity: what is read by whom, and what runs."""

from fastapi import FastAPI

from services.activity import gauges, handlers, retention
from services.activity.api import routes
from services.activity.api_approvals import approval_routes
from services.activity.api_configuration import routes as configuration_routes
from services.activity.api_contacts import contact_routes
from services.activity.api_search import search_routes
from services.activity.api_worklists import worklist_routes
from services.activity.approval_links import ApprovalLinks
from services.activity.handlers import Handlers
from services.activity.numbers import Numbers, pool_of_numbers
from services.activity.schedules import Schedules
from services.activity.settings import ActivitySettings
from services.activity.timers import Timers
from services.activity.work import Work
from shared.blobs import BlobStore
from shared.gauges import Gauges
from shared.http import create_api
from shared.kafka import Consumers
from shared.organisation import Organisations
from shared.organisation_copy import Announcements, published
from shared.postgres import make_pool, opened
from shared.relay import Relay
from shared.retention import Retention, days
from shared.service import Service
from shared.topics import ACTIVITY_REQUESTS, INGEST_MAILS, NOTIFY_MAILS
from shared.unit_of_work import Subscription, UnitOfWork

SERVICE = "activity"
REST_SECONDS = 0.25
"""Nobody waits to read that a mail has left; of each, notify tells twice."""


def subscriptions(work: Work) -> tuple[Subscription, ...]:
    """Which topic is read by which group, and who works on it."""
    on = Handlers(work)
    return (
        Subscription(INGEST_MAILS, "activity.mails", on.on_mails),
        Subscription(NOTIFY_MAILS, "activity.deliveries", on.on_reports, rest_seconds=REST_SECONDS),
        # Requests bypass the inbox: a repeat is answered again with the first answer (design §2).
        Subscription(
            ACTIVITY_REQUESTS, "activity.requests", on.on_requests, inbox=False, refuse=handlers.refuse
        ),
    )


def api_of(unit: UnitOfWork, work: Work, organisations: Organisations, blobs: BlobStore) -> FastAPI:
    """All that is asked over HTTP."""
    routers = (
        *routes(unit, work, organisations, blobs),
        worklist_routes(unit, work, organisations),
        contact_routes(unit, work, organisations),
        search_routes(unit, organisations),
        approval_routes(unit, work, organisations),
        configuration_routes(unit, work),
    )
    return create_api("Mailroom activity", routers)


def build(settings: ActivitySettings) -> Service:
    """One process of activity: consumers, timers, schedules, relay and HTTP on one pool."""
    password, kafka = settings.postgres_password(), settings.kafka()
    pool = make_pool(
        settings.postgres_dsn, schema=SERVICE, application="mailroom-activity", password=password
    )
    pool_for_numbers = pool_of_numbers(settings.postgres_dsn, schema=SERVICE, password=password)
    unit = UnitOfWork(pool, service=SERVICE, topic_prefix=settings.topic_prefix)
    organisations = Organisations(Announcements(kafka, settings.topic_prefix, published))
    links = ApprovalLinks(settings.keyring(), settings.public_url) if settings.public_url else None
    work = Work(
        organisations, Numbers(pool_for_numbers), answers_kept=days(settings.answers_days), links=links
    )
    return Service(
        SERVICE,
        settings,
        components=(
            Consumers(unit, subscriptions(work), kafka=kafka, instance=settings.instance),
            Timers(
                unit,
                work,
                organisations,
                poll_seconds=settings.timer_poll_seconds,
                page=settings.timer_page,
            ),
            Schedules(
                unit,
                work,
                poll_seconds=settings.timer_poll_seconds,
                missed=settings.schedules_missed,
            ),
            Relay(
                settings.postgres_dsn,
                service=SERVICE,
                kafka=kafka,
                topic_prefix=settings.topic_prefix,
                password=password,
            ),
            Gauges(unit, gauges.looks(organisations)),
            Retention(settings, unit, retention.rules(settings)),
        ),
        api=api_of(unit, work, organisations, BlobStore(settings.blobs_url, SERVICE)),
        resources=(opened(pool), opened(pool_for_numbers)),
    )
