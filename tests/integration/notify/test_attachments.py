"""Files go with a mail: from where others have stored them into notify's own bytes (NT-15)."""

import os

from shared.blobs import BlobStore
from shared.contracts.notify_mails import MailComposed, MailRefused
from tests.support.dispatch import Dispatch, written
from tests.support.letters import parsed


async def test_files_go_with_a_mail_and_are_told_of(office: Dispatch) -> None:
    """NT-15: the mail is notify's own from then on, whatever becomes of the files."""
    activity = BlobStore(office.settings.blobs_url, "activity")
    plan = await activity.put("acme", os.urandom(200_000), "application/pdf", "Grundriß.pdf")
    note = await activity.put("acme", b"short", "message/rfc822", "note.eml")
    await office.ask(written(1, attachments=(plan, note)))
    (told,) = await office.said()
    assert isinstance(told, MailComposed)
    assert [each.blob for each in told.content.attachments] == [plan, note]
    row = await office.row()
    assert (row["state"], row["mime"]) == ("queued", None)
    assert row["objects"] == [row["mime_blob"]["object"]]
    bytes_of = [await activity.get(each.object) for each in (plan, note)]
    await activity.delete([plan.object, note.object])
    mime = await office.blobs.get(row["mime_blob"]["object"])
    assert len(mime) == row["mime_blob"]["size"]
    mail = parsed(mime)
    assert mail["Message-ID"] == f"<{told.message_id}>"
    found = [(each.get_filename(), each.get_content()) for each in mail.iter_attachments()]
    assert found == list(zip(("Grundriß.pdf", "note.eml"), bytes_of, strict=True))


async def test_a_mail_without_its_file_is_not_sent(office: Dispatch) -> None:
    """It is told to activity, where whoever wrote it reads why; the mail beside it goes its way."""
    activity = BlobStore(office.settings.blobs_url, "activity")
    gone = await activity.put("acme", b"gone", name="gone.pdf")
    await activity.delete([gone.object])
    await office.ask(written(1, attachments=(gone,)), written(2))
    first, second = await office.said()
    assert isinstance(first, MailRefused)
    assert first.code == "attachment_missing"
    assert isinstance(second, MailComposed)
    assert await office.states() == ["refused", "queued"]
    assert [each async for each in office.blobs.list("acme")] == []
