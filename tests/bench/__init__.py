"""How fast Mailroom is, beside a pipeline without rules on the same machine: `make bench`."""
