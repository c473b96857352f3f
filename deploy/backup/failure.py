"""What a person is told when a backup cannot be made or put back."""


class BackupFailure(Exception):
    """The message is one sentence that says what is wrong, and what to do about it."""
