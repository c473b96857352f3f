-- What the service had said before its database was put back to an earlier moment. Working that time over again
-- makes the same records; the relay leaves out what stands here (shared/recovery.py). Older code would say it
-- twice, which consumers pass over.
CREATE TABLE said_before (
    topic    text NOT NULL,
    source   text NOT NULL,
    id       text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, source, id)
);
