"""What a person is told when the stack cannot be had."""


class StackFailure(Exception):
    """The stack cannot do what was asked; the message is one sentence that says what to do about it."""
