"""What the services say to each other and to the world: one module per topic.

A record's value is plain JSON; what it is about, who says it and when stand in its CloudEvents
headers (`envelope.py`). Readers ignore fields they do not know; a change that would break one is a
new topic (design: contracts).
"""
