"""PostgreSQL's own programs: those of this machine where they know the server, else those of the wheel."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from deploy.backup.failure import BackupFailure
from deploy.local.postgres import PROGRAMS

_MAJOR = re.compile(r"(\d+)(?:\.\d+)?")
_DONE = "everything but the commit is done"
_CHUNK_BYTES = 1024 * 1024


class Tools:
    """`pg_dump`, `pg_restore` and `psql` against one database; its password shows in no list of processes."""

    def __init__(self, dsn: str, server_version: int) -> None:
        """`server_version` is `server_version_num`. Raises `BackupFailure` if no tools are new enough."""
        parts = urlsplit(dsn)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        host = parts.netloc.rpartition("@")[2]
        self._dsn = urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))
        self._environment = {**os.environ, **({"PGPASSWORD": unquote(password)} if password else {})}
        self._folder = _folder(server_version // 10000)

    async def run(self, program: str, *arguments: str) -> None:
        """Run to the end. Raises `BackupFailure` with what the program said last."""
        async with self._started(program, *arguments) as process:
            _, said = await process.communicate()
            _require_success(program, process, said)

    async def restore(self, dump: Path, before: Sequence[str], after: Sequence[str]) -> None:
        """Put a dump back in one transaction, between the statements `before` and `after` it.

        psql is told to commit when it says that all has been done: whoever is killed leaves nothing behind.
        """
        async with (
            self._started("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1") as psql,
            self._started("pg_restore", "--file=-", str(dump), connected=False) as reader,
        ):
            assert psql.stdin is not None
            assert psql.stdout is not None
            assert reader.stdout is not None
            words = asyncio.create_task(_read(psql.stderr))
            complaints = asyncio.create_task(_read(reader.stderr))
            try:
                psql.stdin.write(_script("SET client_min_messages = warning", "BEGIN", *before))
                while chunk := await reader.stdout.read(_CHUNK_BYTES):
                    psql.stdin.write(chunk)
                    await psql.stdin.drain()
                await reader.wait()
                _require_success("pg_restore", reader, await complaints)
                psql.stdin.write(_script(*after) + f"\\echo {_DONE}\n".encode())
                await psql.stdin.drain()
                async for line in psql.stdout:
                    if line.strip() == _DONE.encode():
                        psql.stdin.write(_script("COMMIT"))
                        break
                psql.stdin.close()
            except ConnectionError:
                pass  # psql has ended, and says why
            await psql.wait()
            _require_success("psql", psql, await words)

    @asynccontextmanager
    async def _started(
        self, program: str, *arguments: str, connected: bool = True
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            str(self._folder / program),
            *((f"--dbname={self._dsn}", "--no-password") if connected else ()),
            *arguments,
            stdin=asyncio.subprocess.PIPE if program == "psql" else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL if program == "pg_dump" else asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _folder(major: int) -> Path:
    found = shutil.which("pg_dump")
    for folder in (Path(found).parent if found else None, PROGRAMS):
        if folder is not None and all((folder / name).exists() for name in ("pg_restore", "psql")):
            said = subprocess.run([str(folder / "pg_dump"), "--version"], capture_output=True, text=True)
            version = _MAJOR.search(said.stdout)
            if version is not None and int(version[1]) >= major:
                return folder
    raise BackupFailure(f"There is no pg_dump for PostgreSQL {major} here: install its client programs.")


def _script(*statements: str) -> bytes:
    return "".join(f"{each};\n" for each in statements).encode()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()


def _require_success(program: str, process: asyncio.subprocess.Process, said: bytes) -> None:
    if process.returncode != 0:
        first = said.decode(errors="replace").strip().splitlines()[:1]
        raise BackupFailure(f"{program} failed: {first[0] if first else process.returncode}")
