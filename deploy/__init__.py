"""How Mailroom is run: the command `mailroom` and the stack on one machine."""
