"""The commands of `mailroom`: one module each, found by `deploy.cli` and named like the command.

A single command offers `register(app)`, a group of commands its own typer `app`. Modules here import what is
heavy inside their commands, so that `mailroom --help` answers at once.
"""
