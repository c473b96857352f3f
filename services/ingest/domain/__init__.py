"""Pure rules about incoming mail: no I/O, no contract types."""
