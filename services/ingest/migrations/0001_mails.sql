-- What ingest knows: how far each mailbox is read, and every mail that it took in.

-- One row per mailbox that is or was read: who reads it, and what people are shown about it (GET /v1/mailboxes).
-- `generation` grows with each change of hands; whoever writes with an older one writes nothing.
CREATE TABLE mailboxes (
    organisation   text   NOT NULL,
    mailbox        text   NOT NULL,
    generation     bigint NOT NULL DEFAULT 0,
    holder         text,
    expires_at     timestamptz,
    state          text   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'connected', 'failing')),
    error          text,
    state_since    timestamptz NOT NULL DEFAULT now(),
    fetched_at     timestamptz,
    polled_until   timestamptz,
    waiting        int    NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    oldest_waiting timestamptz,
    PRIMARY KEY (organisation, mailbox),
    CHECK ((holder IS NULL) = (expires_at IS NULL)),
    CHECK (state <> 'failing' OR error IS NOT NULL)
) WITH (fillfactor = 50);

-- Every mail, once, however many mailboxes it came to. `key` identifies it (design §7), `digest` its content.
-- `state`: received = published; own = we sent it (IN-5); unhandled = nobody's process takes it (UH-1).
CREATE TABLE mails (
    organisation  text   NOT NULL,
    id            uuid   NOT NULL,
    key           text   NOT NULL CHECK (key ~ '^[0-9a-f]{64}$'),
    mailbox       text   NOT NULL,
    state         text   NOT NULL CHECK (state IN ('received', 'own', 'unhandled')),
    reason        text   CHECK (reason IN ('unreadable', 'not addressed', 'no route', 'too large', 'failed',
                                               'not placed')),
    detail        text,
    -- How often activity gave it back: what is published after that is another record.
    returns       int    NOT NULL DEFAULT 0,
    conversation  text   CHECK (conversation ~ '^[0-9a-f]{16}$'),
    configuration int    NOT NULL,
    size          bigint NOT NULL CHECK (size >= 0),
    received_at   timestamptz NOT NULL,
    headers       jsonb  NOT NULL,
    decision      jsonb  NOT NULL,
    PRIMARY KEY (organisation, id),
    UNIQUE (organisation, key),
    CHECK ((state = 'unhandled') = (reason IS NOT NULL)),
    CHECK (state <> 'received' OR conversation IS NOT NULL)
);
CREATE INDEX mails_unhandled ON mails (organisation, received_at, id) WHERE state = 'unhandled';

-- The bytes as they came: small ones here, in the transaction that takes the mail in; larger ones are a claim
-- check (design §3). Of a mail past the size limit `truncated` keeps the head only.
CREATE TABLE raw_mails (
    organisation text NOT NULL,
    mail         uuid NOT NULL,
    bytes        bytea,
    object       text,
    truncated    boolean NOT NULL,
    PRIMARY KEY (organisation, mail),
    CHECK (num_nonnulls(bytes, object) = 1)
);

-- Which mailboxes a mail came to, and with what content there: another content under the same Message-ID in
-- the same mailbox is another mail.
CREATE TABLE mail_copies (
    organisation text NOT NULL,
    mail         uuid NOT NULL,
    mailbox      text NOT NULL,
    digest       text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (organisation, mail, mailbox)
);

-- The effect key of AMB-9: each address of ours is told about a mail once.
CREATE TABLE mail_targets (
    organisation text NOT NULL,
    mail         uuid NOT NULL,
    address      text NOT NULL,
    mailbox      text NOT NULL,
    PRIMARY KEY (organisation, mail, address)
);

-- What lies in the folder that is read and is taken in already. What is new is the difference to the server's
-- own list. A row goes when its UID is gone from there.
CREATE TABLE taken_uids (
    organisation text   NOT NULL,
    mailbox      text   NOT NULL,
    folder       text   NOT NULL,
    uidvalidity  bigint NOT NULL,
    uid          bigint NOT NULL,
    mail         uuid   NOT NULL,
    state        text   NOT NULL CHECK (state IN ('taken', 'copied', 'moved')),
    taken_at     timestamptz NOT NULL,
    PRIMARY KEY (organisation, mailbox, folder, uidvalidity, uid)
) WITH (fillfactor = 80);

-- How often a mail was parsed alone, committed before each attempt: what kills its reader is not read for ever.
CREATE TABLE reading_attempts (
    organisation text   NOT NULL,
    mailbox      text   NOT NULL,
    folder       text   NOT NULL,
    uidvalidity  bigint NOT NULL,
    uid          bigint NOT NULL,
    attempts     int    NOT NULL,
    PRIMARY KEY (organisation, mailbox, folder, uidvalidity, uid)
);

-- What lies in the done folder, and since when: it is deleted there after the mailbox's `keep_days`.
CREATE TABLE kept_uids (
    organisation text   NOT NULL,
    mailbox      text   NOT NULL,
    folder       text   NOT NULL,
    uidvalidity  bigint NOT NULL,
    uid          bigint NOT NULL,
    since        timestamptz NOT NULL,
    PRIMARY KEY (organisation, mailbox, folder, uidvalidity, uid)
);
