-- The answer to each request, for ever: a repeat is answered again with it (design §2). `digest` tells a
-- repeat from another request under the same id.
CREATE TABLE answered_requests (
    organisation text        NOT NULL,
    source       text        NOT NULL,
    id           text        NOT NULL,
    asked_at     timestamptz NOT NULL,
    digest       text        NOT NULL,
    answer       jsonb       NOT NULL,
    PRIMARY KEY (organisation, source, id)
);

-- The end of each wait and feedback window. The generation is that of the wait it was armed for, so that a
-- stale one is told apart (AMB-44). `mailbox` is set when it closes the activity, which waits until that
-- mailbox has been read past the due time (design §5).
CREATE TABLE timers (
    organisation text        NOT NULL,
    activity     uuid        NOT NULL,
    generation   int         NOT NULL,
    due_at       timestamptz NOT NULL,
    closes       boolean     NOT NULL,
    mailbox      text,
    PRIMARY KEY (organisation, activity)
);
CREATE INDEX timers_by_due_time ON timers (due_at);

-- How far each mailbox has been read, as told in each partition of ingest's mails (design §5).
CREATE TABLE polled_mailboxes (
    organisation text        NOT NULL,
    mailbox      text        NOT NULL,
    partition    int         NOT NULL,
    until        timestamptz NOT NULL,
    PRIMARY KEY (organisation, mailbox, partition)
) WITH (fillfactor = 50);
