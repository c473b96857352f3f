"""The tests of Mailroom."""
