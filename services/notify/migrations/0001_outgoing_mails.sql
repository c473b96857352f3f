-- Mail that notify was asked to send: what it is, where it stands, how it went.

CREATE TABLE outgoing_mails (
    organisation    text        NOT NULL,
    id              uuid        NOT NULL,
    activity        uuid        NOT NULL,
    reference       text        NOT NULL,
    conversation    text        NOT NULL CHECK (conversation ~ '^[0-9a-f]{16}$'),
    mailbox         text        NOT NULL,
    automatic       boolean     NOT NULL,
    state           text        NOT NULL CHECK (state IN
                        ('queued', 'sending', 'deferred', 'sent', 'failed', 'refused', 'cancelled')),
    -- The envelope of the request: what is said about the mail later follows from it.
    cause           jsonb       NOT NULL,
    requested_at    timestamptz NOT NULL,
    -- When it was composed, or refused.
    decided_at      timestamptz NOT NULL,
    -- Without angle brackets; fixed before the first attempt (design §2).
    message_id      text,
    subject         text        NOT NULL DEFAULT '',
    sender          text,
    -- Where answers come, and failures where they are wanted at all.
    home            text,
    needs_smtputf8  boolean     NOT NULL DEFAULT false,
    -- The whole mail: here, or in the blob store if it is large.
    mime            bytea,
    mime_blob       jsonb,
    refusal         text,
    -- Why it was refused, or how the last attempt went.
    reason          text        NOT NULL DEFAULT '',
    -- The next attempt; while it is being sent, when the claim runs out; nothing when it has ended.
    due_at          timestamptz,
    claimed_at      timestamptz,
    -- Changes with every claim: who comes back late changes nothing.
    claim           bigint      NOT NULL DEFAULT 0,
    attempts        int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Attempts made before a person asked for more (NT-14): they do not count against the limit.
    forgiven        int         NOT NULL DEFAULT 0 CHECK (forgiven BETWEEN 0 AND attempts),
    ended_at        timestamptz,
    PRIMARY KEY (organisation, id),
    CHECK ((state IN ('queued', 'sending', 'deferred')) = (due_at IS NOT NULL)),
    CHECK ((state IN ('queued', 'sending', 'deferred')) = (ended_at IS NULL)),
    CHECK ((state = 'sending') <= (claimed_at IS NOT NULL)),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK (CASE WHEN state = 'refused' THEN num_nonnulls(message_id, sender, home, mime, mime_blob) = 0
                ELSE num_nonnulls(message_id, sender, home) = 3
                     AND num_nonnulls(mime, mime_blob) = 1 END)
) WITH (fillfactor = 80);
CREATE INDEX outgoing_mails_due ON outgoing_mails (organisation, mailbox, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_mails_by_state ON outgoing_mails (organisation, state, id);

-- Who is to get a mail, each with a result of their own.
CREATE TABLE outgoing_recipients (
    organisation text NOT NULL,
    mail         uuid NOT NULL,
    position     int  NOT NULL,
    address      text NOT NULL,
    result       text NOT NULL DEFAULT 'pending' CHECK (result IN ('pending', 'accepted', 'deferred', 'refused')),
    code         int,
    answer       text NOT NULL DEFAULT '',
    -- Of an automatic mail only: the address in the spelling that is counted by, and when it counted (AMB-37).
    counted_as   text,
    counted_at   timestamptz,
    PRIMARY KEY (organisation, mail, position),
    FOREIGN KEY (organisation, mail) REFERENCES outgoing_mails,
    CHECK ((counted_as IS NULL) = (counted_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX outgoing_recipients_counted ON outgoing_recipients (organisation, counted_as, counted_at)
    WHERE counted_at IS NOT NULL;

-- How each attempt went. Append-only.
CREATE TABLE outgoing_attempts (
    organisation text        NOT NULL,
    mail         uuid        NOT NULL,
    number       int         NOT NULL,
    began_at     timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    -- 'unanswered': the server had the mail and its answer was lost. 'lost': the process died while sending.
    -- After both the recipient may have the mail already, and gets it again with the same Message-ID.
    outcome      text        NOT NULL CHECK (outcome IN ('sent', 'deferred', 'failed', 'unanswered', 'lost')),
    reason       text        NOT NULL DEFAULT '',
    PRIMARY KEY (organisation, mail, number),
    FOREIGN KEY (organisation, mail) REFERENCES outgoing_mails
);
