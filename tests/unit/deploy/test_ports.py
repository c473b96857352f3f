"""Ports: asked for, remembered or free (design §8)."""

import socket

import pytest

from deploy.local import ports
from deploy.local.failure import StackFailure

NAMES = ("imap", "smtp")


def test_a_port_that_was_asked_for_is_given_or_refused_but_not_replaced() -> None:
    free = ports.choose(NAMES, {}, {})["imap"]
    assert ports.choose(NAMES, {"imap": free}, {})["imap"] == free
    with socket.create_server((ports.HOST, free)), pytest.raises(StackFailure, match=f"Port {free}.*in use"):
        ports.choose(NAMES, {"imap": free}, {})


def test_an_instance_keeps_its_ports_unless_another_program_has_taken_them() -> None:
    earlier = ports.choose(NAMES, {}, {})
    assert ports.choose(NAMES, {}, earlier) == earlier
    with socket.create_server((ports.HOST, earlier["imap"])):
        now = ports.choose(NAMES, {}, earlier)
    assert now["smtp"] == earlier["smtp"]
    assert now["imap"] != earlier["imap"]


def test_no_port_is_given_twice() -> None:
    earlier = ports.choose(NAMES, {}, {})
    chosen = ports.choose(NAMES, {"smtp": earlier["imap"]}, earlier)
    assert chosen["imap"] != chosen["smtp"]


@pytest.mark.parametrize("number", [0, -1, 65_536])
def test_a_number_that_is_no_port_is_refused(number: int) -> None:
    with pytest.raises(StackFailure, match="is no port: choose one between 1 and 65535"):
        ports.choose(NAMES, {"imap": number}, {})


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(StackFailure, match="no port named pop3: choose among imap, smtp"):
        ports.choose(NAMES, {"pop3": 1110}, {})
