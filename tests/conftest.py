"""Fixtures for all tests; only who asks for `stack`, or for what builds on it, needs servers."""

from hypothesis import settings

pytest_plugins = [
    "tests.support.servers",
    "tests.support.databases",
    "tests.support.frame",
    "tests.support.shared_mailroom",
]

# What a machine is doing besides says nothing about the behaviour that an example shows.
settings.register_profile("mailroom", settings(), deadline=None)
settings.load_profile("mailroom")
