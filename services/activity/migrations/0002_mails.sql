-- Mails of activities: what came in, and what was asked of notify.
CREATE TABLE mails (
    organisation text        NOT NULL,
    id           uuid        NOT NULL,
    direction    text        NOT NULL CHECK (direction IN ('in', 'out')),
    -- Unknown for an outgoing mail until notify has composed it, and for what came in without one.
    message_id   text,
    "references" jsonb       NOT NULL,
    conversation text        NOT NULL,
    mailbox      text        NOT NULL,
    at           timestamptz NOT NULL,
    sender       jsonb,
    recipients   jsonb       NOT NULL,
    content      jsonb       NOT NULL,
    automatic    text,
    purpose      text        CHECK (purpose IN ('acknowledgement', 'no_response', 'reply')),
    outcome      text        CHECK (outcome IN ('requested', 'composed', 'sent', 'deferred', 'failed', 'refused')),
    delivery     jsonb,
    -- Plus addresses that were not believed, and why (AMB-38).
    doubts       jsonb       NOT NULL,
    PRIMARY KEY (organisation, id),
    CHECK ((direction = 'out') = (purpose IS NOT NULL AND outcome IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX mails_by_message_id ON mails (organisation, message_id) WHERE message_id IS NOT NULL;

-- On which activities a mail stands, and the mailbox that caused it: an answer to the mail comes home only
-- while that mailbox is among its recipients (IN-2). A `continued` one stood on a closed activity and is here
-- because this one goes on with its thread (IN-14).
CREATE TABLE activity_mails (
    organisation text NOT NULL,
    activity     uuid NOT NULL,
    mail         uuid NOT NULL,
    mailbox      text NOT NULL,
    continued    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organisation, activity, mail)
);
CREATE INDEX activities_of_a_mail ON activity_mails (organisation, mail);

-- Whose addresses, in lower case, stand on an activity's mails: who counts as a participant (AMB-38), and
-- which of our mailboxes had a part in the thread (RT-7).
CREATE TABLE correspondents (
    organisation text NOT NULL,
    activity     uuid NOT NULL,
    address      text NOT NULL,
    mailbox      text,
    PRIMARY KEY (organisation, activity, address)
);

-- What a mail has led to for each address of ours that it was sent to: nothing twice (design §7).
CREATE TABLE effects (
    organisation text NOT NULL,
    mail         uuid NOT NULL,
    target       text NOT NULL,
    PRIMARY KEY (organisation, mail, target)
);
