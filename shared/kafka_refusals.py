"""Why Kafka does not do what it is asked, in a sentence.

aiokafka logs why a broker could not be reached and raises something that does not say it; so whoever failed
asks the brokers once more, by hand.
"""

import asyncio
import ssl
from collections.abc import Iterator

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.failure import sentence
from shared.kafka_access import KafkaAccess

ASK_SECONDS = 5.0

DENIED = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""Kafka knows us, and its ACLs do not let us."""
_SUBJECTS = ("the topic", "the group", "the cluster", "the transactional id")
_NOT_KNOWN = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError, ssl.SSLError)
_UNREACHED = (KafkaConnectionError, NodeNotReadyError, OSError, TimeoutError)


class NotLetIn(Exception):
    """Kafka does not take us for who we are, or we do not take it for Kafka. The message is a sentence."""


async def explained(kafka: KafkaAccess, error: BaseException) -> str:
    """What went wrong, and what to do where people can do something."""
    for each in _causes(error):
        if isinstance(each, NotLetIn):
            return str(each)
        for kind, subject in zip(DENIED, _SUBJECTS, strict=True):
            if isinstance(each, kind):
                return _denied(kafka, subject, each)
    if isinstance(error, _UNREACHED):
        found = await ask(kafka)
        if found is None:
            return f"Kafka at {kafka.bootstrap} answers, but not as it should ({_briefly(error)})."
        return str(found) if isinstance(found, NotLetIn) else _away(kafka, found)
    return sentence(error)


async def require_let_in(kafka: KafkaAccess) -> None:
    """Raise `NotLetIn` if that is why Kafka does not answer; a Kafka that is away is waited for."""
    found = await ask(kafka)
    if isinstance(found, NotLetIn):
        raise found


async def ask(kafka: KafkaAccess) -> BaseException | None:
    """What stands between us and the brokers: `NotLetIn` or another error; None if one of them answers."""
    hosts = [(host, port) for host, port, _ in collect_hosts(kafka.bootstrap)]
    found = await asyncio.gather(*(_ask(kafka, host, port) for host, port in hosts))
    if None in found:
        return None
    return next((each for each in found if isinstance(each, NotLetIn)), found[0])


async def _ask(kafka: KafkaAccess, host: str, port: int) -> BaseException | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            connection = await create_conn(
                host, port, request_timeout_ms=int(ASK_SECONDS * 1000), **kafka.connection()
            )
            try:
                await connection.send(MetadataRequest([]))
            finally:
                await connection.close()
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        refused = [each for each in _causes(error) if isinstance(each, _NOT_KNOWN)]
        return NotLetIn(_not_let_in(kafka, f"{host}:{port}", refused[-1])) if refused else error
    return None


def _not_let_in(kafka: KafkaAccess, where: str, error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"Kafka at {where} is not trusted ({error.verify_message.removesuffix('.')}): "
            "look at its certificate and at MAILROOM_KAFKA_CA_FILE."
        )
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).lower().replace("_", " ")
        return (
            f"Kafka at {where} does not agree on TLS ({reason}): look at MAILROOM_KAFKA_SECURITY_PROTOCOL, "
            "and at the client's certificate if it wants one."
        )
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"Kafka at {where} refuses the user {kafka.user!r} by {kafka.mechanism}: look at "
            "MAILROOM_KAFKA_SASL_USER, its password, and the users that Kafka knows."
        )
    return (
        f"Kafka at {where} does not take {kafka.mechanism} ({type(error).__name__}): look at "
        "MAILROOM_KAFKA_SASL_MECHANISM and MAILROOM_KAFKA_SECURITY_PROTOCOL."
    )


def _denied(kafka: KafkaAccess, subject: str, error: BaseException) -> str:
    names = _names(error)
    who = repr(kafka.user) if kafka.user else "this client"
    return (
        f"Kafka's ACLs do not let {who} use {subject}{names and f' {names}'}: give it the rights that "
        "`mailroom topics acls` names."
    )


def _names(error: BaseException) -> str:
    names: set[str] = set()
    for part in error.args:
        names |= set(map(str, part)) if isinstance(part, set | frozenset | list | tuple) else {str(part)}
    return ", ".join(sorted(names))


def _away(kafka: KafkaAccess, error: BaseException) -> str:
    return (
        f"Kafka does not answer at {kafka.bootstrap} ({_briefly(error)}): start it, or mend "
        "MAILROOM_KAFKA_BOOTSTRAP and MAILROOM_KAFKA_SECURITY_PROTOCOL."
    )


def _briefly(error: BaseException) -> str:
    """aiokafka's errors begin with their names themselves."""
    return str(error) if isinstance(error, KafkaError) else sentence(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
