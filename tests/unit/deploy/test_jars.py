"""The cache of downloaded servers (design §8): a start has whole files, or a sentence that says why not."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.failure import StackFailure
from deploy.local.jars import Jar, class_paths

CONTENTS = {"org.example:broker:1.0": b"broker " * 5_000, "org.example:logging:2.1": b"logging " * 3_000}


def path_in_repository(coordinate: str) -> Path:
    group, artifact, version = coordinate.split(":")
    return Path(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder behind a Maven repository on this machine, which holds a program of two files."""
    folder = tmp_path / "repository"
    for coordinate, content in CONTENTS.items():
        path = folder / path_in_repository(coordinate)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    pinned = [
        Jar(coordinate=coordinate, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for coordinate, content in CONTENTS.items()
    ]

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(jars, "locked", lambda: {"broker": pinned})
    monkeypatch.setattr(jars, "MAVEN_CENTRAL_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(jars, "_LONGEST_PAUSE", 0.01)
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "none"))
    yield folder
    server.shutdown()
    server.server_close()


def cached(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cache / "jars").iterdir()}


WHOLE = {path_in_repository(coordinate).name: content for coordinate, content in CONTENTS.items()}


def test_the_first_start_downloads_and_the_second_needs_no_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = class_paths(tmp_path / "cache")
    assert cached(tmp_path / "cache") == WHOLE
    monkeypatch.setattr(jars, "MAVEN_CENTRAL_URL", "http://127.0.0.1:9")
    assert class_paths(tmp_path / "cache") == first


@pytest.mark.parametrize("damage", [lambda content: content[:-7], lambda content: b"x" + content[1:]])
def test_a_damaged_file_is_downloaded_again(repository: Path, tmp_path: Path, damage: object) -> None:
    class_paths(tmp_path / "cache")
    assert callable(damage)
    broken = tmp_path / "cache" / "jars" / "broker-1.0.jar"
    broken.write_bytes(damage(broken.read_bytes()))
    class_paths(tmp_path / "cache")
    assert cached(tmp_path / "cache") == WHOLE


def test_what_a_killed_download_left_does_not_matter(repository: Path, tmp_path: Path) -> None:
    leftover = tmp_path / "cache" / "download" / path_in_repository("org.example:broker:1.0")
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    class_paths(tmp_path / "cache")
    assert cached(tmp_path / "cache") == WHOLE


def test_many_first_starts_at_once_share_one_cache(repository: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(class_paths, [tmp_path / "cache"] * 6))
    assert all(result == results[0] for result in results)
    assert cached(tmp_path / "cache") == WHOLE


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda file, patch: file.write_bytes(b"please log in"), "is not the file it should be"),
        (lambda file, patch: file.unlink(), "No Maven repository would give"),
        (
            lambda file, patch: patch.setattr(jars, "MAVEN_CENTRAL_URL", "http://127.0.0.1:9"),
            "cannot be reached: connect to the network once",
        ),
    ],
)
def test_a_download_that_cannot_be_had_is_said_in_one_sentence(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: object, sentence: str
) -> None:
    assert callable(break_it)
    break_it(repository / path_in_repository("org.example:broker:1.0"), monkeypatch)
    with pytest.raises(StackFailure, match=sentence) as failure:
        class_paths(tmp_path / "cache")
    assert "\n" not in str(failure.value)


def test_a_full_disk_is_said_in_one_sentence(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StackFailure, match=r"is full: free \d+ MB"):
        class_paths(tmp_path / "cache")


def test_the_committed_lock_file_pins_every_program() -> None:
    pinned = jars.locked()
    for program, coordinates in jars.PROGRAMS.items():
        names = {jar.coordinate.rpartition(":")[0] for jar in pinned[program]}
        assert {coordinate.rpartition(":")[0] for coordinate in coordinates} <= names
    assert len({jar.file_name for each in pinned.values() for jar in each}) == sum(map(len, pinned.values()))
