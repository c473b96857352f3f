"""What ties an answer to its thread (RFC 5322 3.6.4, RFC 5537 3.4.4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.threading import MESSAGE_ID_LIMIT, REFERENCES_KEPT, reply_subject, thread

ids = st.from_regex(r"[a-z0-9]{1,8}@[a-z]{1,5}", fullmatch=True)


@settings(max_examples=100)
@given(ids | st.none(), st.lists(ids | st.text(max_size=10), max_size=60))
def test_references_begin_with_the_thread_and_end_with_what_is_answered(
    parent: str | None, references: list[str]
) -> None:
    tied = thread(parent, references)
    assert len(tied.references) <= REFERENCES_KEPT
    assert len(set(tied.references)) == len(tied.references)
    assert tied.in_reply_to == parent
    if parent is not None:
        assert tied.references[-1] == parent
    usable = thread(None, references).references
    if usable and usable[0] != parent:
        assert tied.references[0] == usable[0]


def test_of_a_long_thread_the_first_and_the_last_stay() -> None:
    references = [f"{number}@x.test" for number in range(100)]
    tied = thread("100@x.test", references).references
    assert tied[0] == "0@x.test"
    assert tied[1:] == tuple(f"{number}@x.test" for number in range(101 - REFERENCES_KEPT + 1, 101))


@pytest.mark.parametrize(
    "bad", ["a b@x", "a@x\r\nBcc: b@x", "<a@x>", "é@x", "", "a" * (MESSAGE_ID_LIMIT + 1)]
)
def test_an_id_that_could_break_a_header_is_left_out(bad: str) -> None:
    assert thread(bad, [bad, "1@x.test"]).references == ("1@x.test",)
    assert thread(bad, []).in_reply_to is None


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Printer", "Re: Printer"),
        ("Re: Printer", "Re: Printer"),
        ("RE: AW: Re[2]: Printer", "Re: Printer"),
        ("Rép : Imprimante", "Re: Imprimante"),
        ("Research: a question", "Re: Research: a question"),
        ("", "Re:"),
    ],
)
def test_an_answer_says_re_once(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer
