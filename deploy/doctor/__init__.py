"""What `mailroom doctor` looks at: one table of checks, each a small function."""
