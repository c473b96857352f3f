"""Pure rules about outgoing mail: no I/O, no contract types."""
