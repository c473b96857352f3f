"""Mail goes out over protected connections, or not at all (design §7, RFC 3207)."""

import ssl
from pathlib import Path

import pytest

from services.notify.smtp import SmtpConnection, SmtpError, Tls
from tests.support.certificates import Authority
from tests.support.fake_smtp import Script, letter, scripted_server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a server at 127.0.0.1, with its key, and of whom one has to trust for it."""
    authority = Authority()
    signed = authority.signed("scripted.test", "127.0.0.1")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(signed.certificate + signed.key + authority.certificate)
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_protected_connection_takes_mail(tls: Tls, certificate: Path) -> None:
    script = Script()
    async with scripted_server(script, tls=tls, context=context_of(certificate)) as address:
        connection = SmtpConnection(address.model_copy(update={"ca_file": certificate}))
        await connection.open()
        await connection.deliver(letter())
        await connection.close()
    assert len(script.delivered) == 1


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_certificate_that_nobody_vouches_for_waits_for_a_person(tls: Tls, certificate: Path) -> None:
    async with scripted_server(Script(), tls=tls, context=context_of(certificate)) as address:
        connection = SmtpConnection(address)
        with pytest.raises(SmtpError) as refused:
            await connection.open()
        assert not refused.value.transient
        assert refused.value.blameless


async def test_no_mail_goes_out_unprotected_where_starttls_is_required() -> None:
    script = Script()
    async with scripted_server(script) as address:
        connection = SmtpConnection(address.model_copy(update={"tls": Tls.STARTTLS}))
        with pytest.raises(SmtpError) as refused:
            await connection.open()
    assert refused.value.blameless
    assert script.delivered == []
