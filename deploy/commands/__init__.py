"""One module per command of `mailroom`; each offers `register(app)`, which `deploy.cli` calls.

Modules here import what is heavy inside their commands, so that `mailroom --help` answers at once.
"""
