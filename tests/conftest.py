"""Fixtures for all tests; only who asks for `stack`, or for what builds on it, needs servers."""

pytest_plugins = [
    "tests.support.servers",
    "tests.support.databases",
    "tests.support.frame",
    "tests.support.shared_mailroom",
]
