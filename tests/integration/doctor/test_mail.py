"""`mailroom doctor`: mailboxes, the way out, DNS, and a mail that comes home."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deploy.doctor import dns, mail, probe
from deploy.doctor.findings import State
from deploy.doctor.patient import Box, Patient
from deploy.local.endpoints import Endpoints
from services.ingest.imap import ImapServer
from services.notify.smtp_server import SmtpServer, Tls
from tests.support.dovecot import PASSWORD, running_dovecot
from tests.support.fake_smtp import Script, scripted_server
from tests.support.greenmail import mails_of
from tests.support.name_server import Zone, name_server
from tests.support.patients import changed, free_port, well, wrong

SENDER = "acme.example.com"
GOOD: Zone = {
    (SENDER, "MX"): ("10 mx.example.com.",),
    (SENDER, "TXT"): ('"v=spf1 include:example.net -all"',),
    (f"_dmarc.{SENDER}", "TXT"): ('"v=DMARC1; p=reject"',),
}


# Mail servers


async def test_a_mailbox_is_logged_in_to(ingest: Patient, box: Box, stack: Endpoints, tmp_path: Path) -> None:
    await well(partial(mail.imap, ingest, box), box.mailbox.address)
    folder = Box("acme", box.mailbox.model_copy(update={"imap": _with(box.mailbox.imap, folder="Nowhere")}))
    await wrong(partial(mail.imap, ingest, folder), "Nowhere", "cannot be opened")
    server = Box("acme", box.mailbox.model_copy(update={"imap": _with(box.mailbox.imap, server="other")}))
    await wrong(partial(mail.imap, ingest, server), "MAILROOM_IMAP_SERVERS has no server 'other'")
    away = ImapServer(host="127.0.0.1", port=free_port(), tls=False)
    await wrong(
        partial(mail.imap, changed(ingest, imap_servers={"main": away}), box),
        str(away.port),
        "the secret 'imap'",
    )
    (tmp_path / "imap").unlink()
    await wrong(partial(mail.imap, ingest, box), "Secret 'imap' is missing")


async def test_the_way_out_is_connected_to(notify: Patient, box: Box, stack: Endpoints) -> None:
    await well(partial(mail.smtp, notify, box), str(stack.smtp.port))
    server = Box("acme", box.mailbox.model_copy(update={"smtp": _with(box.mailbox.smtp, server="other")}))
    await wrong(partial(mail.smtp, notify, server), "MAILROOM_SMTP_SERVERS has no server 'other'")
    plain = SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.STARTTLS)
    await wrong(
        partial(mail.smtp, changed(notify, smtp_servers={"main": plain}), box),
        "STARTTLS",
        "MAILROOM_SMTP_SERVERS",
    )
    away = SmtpServer(host="127.0.0.1", port=free_port(), tls=Tls.NONE)
    await wrong(partial(mail.smtp, changed(notify, smtp_servers={"main": away}), box), str(away.port))
    login = _with(box.mailbox.smtp, user="help", password="missing")
    secret = Box("acme", box.mailbox.model_copy(update={"smtp": login}))
    await wrong(partial(mail.smtp, notify, secret), "Secret 'missing' is missing")


async def test_a_password_that_the_server_does_not_take_is_told(
    ingest: Patient, notify: Patient, box: Box, tmp_path: Path
) -> None:
    (tmp_path / "imap").write_text("mistyped\n")
    async with running_dovecot() as dovecot:
        strict = ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False)
        reader = changed(ingest, imap_servers={"main": strict})
        await wrong(partial(mail.imap, reader, box), "cannot be logged in", "the secret 'imap'")
        (tmp_path / "imap").write_text(f"{PASSWORD}\n")
        await well(partial(mail.imap, reader, box), box.mailbox.address)
    login = Box("acme", _with(box.mailbox, smtp=_with(box.mailbox.smtp, user="help", password="imap")))
    script = Script(logins={"help": "secret"})
    async with scripted_server(script) as server:
        sender = changed(notify, smtp_servers={"main": server})
        await wrong(partial(mail.smtp, sender, login), "Mail cannot go out", "the secret 'imap'")
        (tmp_path / "imap").write_text("secret\n")
        await well(partial(mail.smtp, sender, login))
    assert script.delivered == []


def _with(part: Any, **changes: Any) -> Any:
    return part.model_copy(update=changes)


# DNS


async def test_a_domain_with_all_its_records_is_well() -> None:
    async with name_server(GOOD) as server:
        ask = dns.resolvers(server)
        await well(partial(dns.arrives, SENDER, ask), "mx.example.com")
        await well(partial(dns.spf, SENDER, ask), "v=spf1")
        await well(partial(dns.dmarc, SENDER, ask), "v=DMARC1")


@pytest.mark.parametrize(
    ("zone", "state", "words"),
    [
        ({(SENDER, "TXT"): ('"x"',)}, State.FAILED, "neither MX nor address"),
        ({(SENDER, "A"): ("192.0.2.1",)}, State.WARNING, "has no MX, only an address"),
        ({(SENDER, "MX"): ("0 .",)}, State.FAILED, "takes no mail"),
        ({("other.example.com", "A"): ("192.0.2.1",)}, State.FAILED, "neither MX nor address"),
    ],
)
async def test_a_domain_that_answers_do_not_come_home_to_is_told(
    zone: Zone, state: State, words: str
) -> None:
    async with name_server(zone) as server:
        await wrong(partial(dns.arrives, SENDER, dns.resolvers(server)), words, state=state)


async def test_missing_and_doubled_sender_policies_are_told() -> None:
    async with name_server({(SENDER, "MX"): ("10 mx.example.com.",)}) as server:
        ask = dns.resolvers(server)
        await wrong(partial(dns.spf, SENDER, ask), "has no SPF record", state=State.WARNING)
        await wrong(partial(dns.dmarc, SENDER, ask), "has no DMARC record", state=State.WARNING)
    async with name_server({(SENDER, "TXT"): ('"v=spf1 -all"', '"v=spf1 +all"')}) as server:
        await wrong(partial(dns.spf, SENDER, dns.resolvers(server)), "2 records of v=spf1", "keep one")


async def test_a_dns_that_does_not_answer_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "ASK_SECONDS", 0.3)
    ask = dns.resolvers(f"127.0.0.1:{free_port()}")
    await wrong(partial(dns.arrives, SENDER, ask), "could not be looked at", state=State.WARNING)
    await well(partial(dns.arrives, "mailroom.test", ask), "for tests")


# The probe


async def test_a_probe_arrives_at_the_plus_address_and_is_gone_again(
    ingest: Patient, notify: Patient, box: Box, stack: Endpoints
) -> None:
    await well(partial(probe.probe, ingest, notify, box, 20.0), "arrived in INBOX")
    assert await mails_of(stack, box.mailbox.address) == []


async def test_a_probe_that_does_not_arrive_is_told(
    ingest: Patient, notify: Patient, box: Box, stack: Endpoints
) -> None:
    elsewhere = _with(box.mailbox.imap, user=f"other@{box.mailbox.address.partition('@')[2]}")
    lost = Box("acme", box.mailbox.model_copy(update={"imap": elsewhere}))
    await wrong(
        partial(probe.probe, ingest, notify, lost, 1.0), "did not arrive within 1 s", "plus addresses"
    )
    away = changed(
        notify, smtp_servers={"main": SmtpServer(host="127.0.0.1", port=free_port(), tls=Tls.NONE)}
    )
    await wrong(partial(probe.probe, ingest, away, box, 1.0), "could not be sent")
