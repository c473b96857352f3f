"""ingest knows mail: it fetches, parses, recognises, and publishes what each mail says and where it goes."""
