"""The blob store: design §4 (claim checks, ownership) and §2 (nothing accepted is lost)."""

import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError

from shared import blob_folder
from shared.blobs import BlobMissing, BlobsFull, BlobStore, BlobsUnavailable, NewBlob
from shared.failure import is_transient

DATA = b"From: somebody\r\n\r\nHello"
ENOSPC = "Generic LocalFileSystem error: Unable to copy data to file: No space left on device (os error 28)"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return (tmp_path / "new" / "blobs").as_uri()


@pytest.fixture
def store(url: str) -> BlobStore:
    return BlobStore(url, "ingest")


async def test_what_is_put_can_be_got_and_says_what_it_is(store: BlobStore) -> None:
    blob = await store.put("acme", DATA, media_type="message/rfc822", name="mail.eml")
    sha256 = hashlib.sha256(DATA).hexdigest()
    assert blob.object == f"acme/ingest/{sha256}"
    assert (blob.sha256, blob.size, blob.media_type, blob.name) == (
        sha256,
        len(DATA),
        "message/rfc822",
        "mail.eml",
    )
    assert await store.get(blob.object) == DATA


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 6 * 1024 * 1024])
async def test_every_size_comes_back_whole_and_in_pieces(store: BlobStore, size: int) -> None:
    data = os.urandom(size)
    blob = await store.put("acme", data)
    assert await store.get(blob.object) == data
    assert b"".join([chunk async for chunk in store.stream(blob.object)]) == data


async def test_a_put_of_what_is_there_refreshes_it(store: BlobStore, tmp_path: Path) -> None:
    """The sweep goes by age: a blob that a new row is about to name must look new."""
    blob = await store.put("acme", DATA)
    path = tmp_path / "new" / "blobs" / blob.object
    os.utime(path, (1, 1))
    assert await store.put("acme", DATA) == blob
    assert path.stat().st_mtime > 1
    assert len(list(path.parent.iterdir())) == 1


async def test_many_are_put_side_by_side_and_come_in_order(store: BlobStore) -> None:
    new = [NewBlob(f"part {number}".encode(), name=str(number)) for number in range(50)]
    stored = await store.put_many("acme", new)
    assert [blob.name for blob in stored] == [str(number) for number in range(50)]
    assert await store.get(stored[49].object) == b"part 49"
    assert await store.put_many("acme", []) == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_page_of_blobs_is_on_disk_before_it_is_claimed(
    store: BlobStore, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one call for all where the system has it, else file by file."""
    asked: list[int] = []
    assert blob_folder._syncfs is not None
    monkeypatch.setattr(blob_folder, "_syncfs", asked.append if at_once else None)
    monkeypatch.setattr(os, "fsync", asked.append)
    data = [f"blob {number}".encode() for number in range(20)]
    made = await store.put_many("acme", [NewBlob(each) for each in data])
    assert [await store.get(blob.object) for blob in made] == data
    assert len(asked) == 1 if at_once else len(asked) >= len(data)


async def test_another_service_reads_but_does_not_delete(store: BlobStore, url: str) -> None:
    blob = await store.put("acme", DATA)
    other = BlobStore(url, "notify")
    assert await other.get(blob.object) == DATA
    with pytest.raises(ValueError, match="only its owner deletes"):
        await other.delete([blob.object])
    assert await store.get(blob.object) == DATA


async def test_its_owner_deletes_it_and_may_do_so_again(store: BlobStore) -> None:
    blob = await store.put("acme", DATA)
    await store.delete([blob.object])
    await store.delete([blob.object])
    with pytest.raises(BlobMissing):
        await store.get(blob.object)


@pytest.mark.parametrize("path", ["ingest", "acme/ingest/x/../../../etc", "", "acme/notify/ab"])
async def test_paths_outside_the_own_folder_are_never_deleted(store: BlobStore, path: str) -> None:
    with pytest.raises(ValueError, match="only its owner deletes"):
        await store.delete([path])


async def test_the_list_holds_one_organisation_of_one_service(store: BlobStore, url: str) -> None:
    mine = await store.put("acme", DATA)
    await store.put("other", DATA)
    await BlobStore(url, "notify").put("acme", b"theirs")
    assert [(found.object, found.size) async for found in store.list("acme")] == [(mine.object, len(DATA))]


@pytest.mark.parametrize("object", ["acme/ingest/none", "../outside", "acme/../../x"])
async def test_a_missing_object_is_told_apart(store: BlobStore, object: str) -> None:
    with pytest.raises(BlobMissing, match="does not exist"):
        await store.get(object)
    with pytest.raises(BlobMissing):
        _ = [chunk async for chunk in store.stream(object)]


@pytest.mark.parametrize("organisation", ["", "..", "a/b", "a\0b", ".hidden"])
async def test_an_organisation_that_cannot_be_a_folder_is_refused(
    store: BlobStore, organisation: str
) -> None:
    with pytest.raises(ValueError, match="cannot be part of an object's path"):
        await store.put(organisation, DATA)


@pytest.mark.parametrize(
    ("message", "raised"),
    [(ENOSPC, BlobsFull), ("Generic S3 error: 503 SlowDown\n\nDebug source: …", BlobsUnavailable)],
)
async def test_a_store_that_fails_is_no_record_s_fault(
    monkeypatch: pytest.MonkeyPatch, message: str, raised: type[Exception]
) -> None:
    """A full disk and an outage are waited for; the text is the one that the store was seen to give."""

    async def fail(*_: Any, **__: Any) -> None:
        raise GenericError(message)

    monkeypatch.setattr(obstore, "put_async", fail)
    store = BlobStore("memory:///", "ingest")
    with pytest.raises(BlobsUnavailable) as one:
        await store.put("acme", DATA)
    with pytest.raises(BlobsUnavailable) as many:
        await store.put_many("acme", [NewBlob(DATA), NewBlob(b"x")])
    assert type(one.value) is type(many.value) is raised
    assert is_transient(one.value)
    assert "Debug" not in str(one.value)


@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.ENOSPC, BlobsFull), (errno.EDQUOT, BlobsFull), (errno.EIO, BlobsUnavailable)],
)
async def test_a_folder_that_fails_is_no_record_s_fault_and_shows_nothing_unfinished(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(BlobsUnavailable) as error:
            await store.put("acme", DATA)
    assert type(error.value) is raised
    assert not list((tmp_path / "new" / "blobs" / "acme" / "ingest").iterdir())


async def test_what_a_killed_process_left_unfinished_is_no_blob(store: BlobStore, tmp_path: Path) -> None:
    blob = await store.put("acme", DATA)
    path = tmp_path / "new" / "blobs" / blob.object
    path.with_name(f"{path.name}#{2**62}").write_bytes(b"half")
    assert [found.object async for found in store.list("acme")] == [blob.object]


async def test_a_put_is_on_disk_before_it_returns(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power failure after the database's commit must not leave a row without its blob."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    blob = await store.put("acme", DATA)
    root = tmp_path / "new" / "blobs"
    assert synced == [str(root / blob.object), str(root / "acme/ingest"), str(root / "acme"), str(root)]


def test_a_place_that_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in ((tmp_path / "file" / "x").as_uri(), "ftp://somewhere"):
        with pytest.raises(BlobsUnavailable, match="no blob store at"):
            BlobStore(url, "ingest")


async def _pieces(*given: bytes, fail: Exception | None = None) -> AsyncIterator[bytes]:
    for each in given:
        yield each
    if fail:
        raise fail


@pytest.mark.parametrize("where", ["folder", "elsewhere"])
async def test_a_stream_is_stored_as_if_it_had_come_at_once(url: str, where: str) -> None:
    """NT-15: hashed on its way, and refreshed where it was there already."""
    store = BlobStore(url if where == "folder" else "memory:///", "activity")
    data = os.urandom(300_000)
    pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    blob = await store.put_stream("acme", _pieces(*pieces), "application/pdf", "plan.pdf")
    assert blob == await store.put("acme", data, "application/pdf", "plan.pdf")
    assert blob == await store.put_stream("acme", _pieces(*pieces), "application/pdf", "plan.pdf")
    assert await store.get(blob.object) == data
    assert [each.object async for each in store.list("acme")] == [blob.object]


@pytest.mark.parametrize("where", ["folder", "elsewhere"])
async def test_a_stream_that_breaks_off_leaves_nothing(url: str, tmp_path: Path, where: str) -> None:
    store = BlobStore(url if where == "folder" else "memory:///", "activity")
    with pytest.raises(KeyError, match="the caller hung up"):
        await store.put_stream("acme", _pieces(DATA, DATA, fail=KeyError("the caller hung up")))
    assert [each.object async for each in store.list("acme")] == []
    assert not any(files for _, _, files in os.walk(tmp_path))


async def test_what_a_killed_process_left_of_a_stream_is_found_by_the_sweep(store: BlobStore) -> None:
    """It is listed, and so it is an orphan once it is old."""

    async def killed() -> AsyncIterator[bytes]:
        yield DATA
        assert [each.size async for each in store.list("acme")] == [0]
        yield DATA

    await store.put_stream("acme", killed())
    (whole,) = [each async for each in store.list("acme")]
    assert whole.size == 2 * len(DATA)


async def test_a_stream_into_a_full_folder_is_waited_for(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(blob_folder.Writer, "write", write)
    with pytest.raises(BlobsFull):
        await store.put_stream("acme", _pieces(DATA))
    assert [each.object async for each in store.list("acme")] == []
