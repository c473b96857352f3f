"""Backups of what Mailroom keeps: each service's schema, and the blobs. Kafka is not in them.

PostgreSQL's own tools make and read the dumps, so that a backup can be read without Mailroom, too.
"""
