"""The Java programs of the stack: downloaded once from the user's Maven repositories, then kept.

`jars.lock.json` pins each file of each program by size and SHA-256, so a download is right or refused,
whoever served it; the cache is checked against it at every start, and what is damaged is fetched again.
`python -m deploy.local.jars` writes the lock file anew from `PROGRAMS`.
"""

import errno
import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import requests
from filelock import FileLock
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from pydantic import BaseModel, TypeAdapter
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_when_event_set,
    wait_exponential_jitter,
)

from deploy.local.failure import StackFailure
from deploy.local.progress import Phase, Progress, Report, silence

# What the lock file is made from. Kafka brings no SLF4J binding and is mute without one; its version is
# that of the log4j that Kafka asks for.
PROGRAMS = {
    "kafka": ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:{log4j}"),
    "greenmail": ("com.icegreen:greenmail-standalone:2.1.8",),
}
LOCK_FILE = Path(__file__).with_name("jars.lock.json")

_DOWNLOADS_AT_ONCE = 4
_TIMEOUT = 30
_ATTEMPTS = 3
_LONGEST_PAUSE = 5.0


class Jar(BaseModel, frozen=True):
    """One file: Maven coordinate `group:artifact:version`, size in bytes, hexadecimal SHA-256."""

    coordinate: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache: that of the repository, so that people recognise it."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_whole(self, path: Path) -> bool:
        """Whether `path` holds exactly this file."""
        try:
            if path.stat().st_size != self.size:
                return False
            with path.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


class _Damaged(Exception):
    """A repository served something else than the lock file names."""


_Lock = TypeAdapter(dict[str, list[Jar]])


def locked() -> dict[str, list[Jar]]:
    """The pinned files of each program."""
    return _Lock.validate_json(LOCK_FILE.read_bytes())


def cache_folder() -> Path:
    """Where downloads are kept: `MAILROOM_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("MAILROOM_CACHE") or platformdirs.user_cache_path("mailroom"))


def class_paths(
    cache: Path, report: Report = silence, given_up: threading.Event | None = None
) -> dict[str, str]:
    """The Java class path of each program, after downloading what is missing or damaged.

    Blocks, until `given_up` is set by another thread; several processes may call it at once. Raises
    StackFailure if the files cannot be had.
    """
    given_up = given_up or threading.Event()
    programs = locked()
    folder = cache / "jars"
    wanted = sorted({jar for jars in programs.values() for jar in jars}, key=lambda jar: -jar.size)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _broken(wanted, folder):
            with FileLock(cache / "jars.lock"):
                _download(_broken(wanted, folder), folder, cache / "download", report, given_up)
    except OSError as failure:
        raise _sentence(failure, cache, sum(jar.size for jar in wanted)) from failure
    return {
        program: os.pathsep.join(str(folder / jar.file_name) for jar in jars)
        for program, jars in programs.items()
    }


def _broken(jars: list[Jar], folder: Path) -> list[Jar]:
    return [jar for jar in jars if not jar.is_whole(folder / jar.file_name)]


def _download(
    jars: list[Jar], folder: Path, partial: Path, report: Report, given_up: threading.Event
) -> None:
    """Fetches into `partial`, which nobody else uses while the lock is held, and moves what is right."""
    if not jars:
        return
    shutil.rmtree(partial, ignore_errors=True)
    total, done, counting = sum(jar.size for jar in jars), 0, threading.Lock()

    @contextmanager
    def counted(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def add(count: int) -> None:
            nonlocal done
            if given_up.is_set():
                raise StackFailure("The download was given up.")
            with counting:
                done += count
                if done * 100 // total != (done - count) * 100 // total:
                    report(_downloaded(done, total))

        yield add

    repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    maven = MavenContext(
        PythonResolver(progress_callback=counted), partial, remote_repos=repositories, timeout=_TIMEOUT
    )

    @retry(
        retry=retry_if_exception_type((requests.RequestException, _Damaged)),
        wait=wait_exponential_jitter(multiplier=0.5, max=_LONGEST_PAUSE),
        stop=stop_after_attempt(_ATTEMPTS) | stop_when_event_set(given_up),
        reraise=True,
    )
    def fetch(jar: Jar) -> None:
        artifact = maven.create_dependency(jar.coordinate).artifact
        (partial / artifact.component.path_prefix / artifact.filename).unlink(missing_ok=True)
        path = artifact.resolve()
        if not jar.is_whole(path):
            raise _Damaged(jar.coordinate)
        path.replace(folder / jar.file_name)

    logging.getLogger("jgo").setLevel(logging.ERROR)  # a bad checksum is our own to report
    report(_downloaded(0, total))
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        try:
            list(pool.map(fetch, jars))
        except _Damaged as damaged:
            raise StackFailure(
                f"The download of {damaged} is not the file it should be, after {_ATTEMPTS} attempts: "
                "something on the way changes it (a proxy's login page?); try another network."
            ) from damaged
        except RuntimeError as missing:  # jgo: in none of the repositories
            raise StackFailure(
                f"No Maven repository would give the servers' files ({missing}): look at the proxy settings, "
                "or name your own mirror under [repositories] in jgo's configuration file."
            ) from missing
        finally:
            pool.shutdown(cancel_futures=True)
            shutil.rmtree(partial, ignore_errors=True)
    report(Progress(step="download", phase=Phase.READY, detail=f"{total / 1e6:.0f} MB"))


def _downloaded(done: int, total: int) -> Progress:
    detail = f"{min(done, total) / 1e6:.0f} of {total / 1e6:.0f} MB, once only"
    return Progress(step="download", phase=Phase.WORKING, detail=detail, share=min(done / total, 1.0))


def _sentence(failure: OSError, cache: Path, needed: int) -> StackFailure:
    """A download's failure in words; requests' exceptions are OSErrors, too."""
    if isinstance(failure, requests.RequestException):
        return StackFailure(
            "The servers' files could not be downloaded because the Maven repository cannot be reached: "
            "connect to the network once, look at the proxy settings, or point MAILROOM_CACHE at the cache "
            "of a machine that has them."
        )
    if failure.errno in (errno.ENOSPC, errno.EDQUOT):
        return StackFailure(
            f"The disk that holds {cache} is full: free {needed / 1e6:.0f} MB there, "
            "or point MAILROOM_CACHE elsewhere."
        )
    return StackFailure(
        f"The cache {cache} cannot be used ({failure}): mend it, or point MAILROOM_CACHE elsewhere."
    )


def _write_lock_file(partial: Path) -> None:
    """Resolves `PROGRAMS` with everything they need, and pins what was found."""
    maven = MavenContext(repo_cache=partial, timeout=_TIMEOUT)
    programs: dict[str, list[Jar]] = {}
    for name, coordinates in PROGRAMS.items():
        log4j = ""
        for coordinate in coordinates:
            inputs, needed = maven.resolver.resolve([maven.create_dependency(coordinate.format(log4j=log4j))])
            log4j = next((each.version for each in needed if each.artifactId == "log4j-core"), log4j)
            for dependency in inputs + needed:
                path = dependency.artifact.resolve()
                jar = Jar(
                    coordinate=f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}",
                    size=path.stat().st_size,
                    sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                )
                known = {each.coordinate.rpartition(":")[0] for each in programs.setdefault(name, [])}
                if jar.coordinate.rpartition(":")[0] not in known:
                    programs[name].append(jar)
    LOCK_FILE.write_bytes(_Lock.dump_json(programs, indent=2) + b"\n")


if __name__ == "__main__":
    _write_lock_file(cache_folder() / "resolve")
