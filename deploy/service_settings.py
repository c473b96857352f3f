"""Each service's settings, for commands that do a service's work or look at what it would use."""

import importlib
import os
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deploy.local.endpoints import Endpoints
from shared.settings import ServiceSettings, load


def settings_of(service: str, endpoints: Endpoints | None) -> ServiceSettings:
    """The settings of `ingest`, `activity` or `notify`: of the instance, or else of the environment.

    What an instance says of itself goes before the environment, like when it starts its services. Raises
    `SettingsError`.
    """
    build = importlib.import_module(f"services.{service}.app").build
    # The annotation of its argument says which settings the service wants.
    kind: type[ServiceSettings] = typing.get_type_hints(build)["settings"]
    with _environment(endpoints.environment(service) if endpoints else {}):
        return load(kind)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
