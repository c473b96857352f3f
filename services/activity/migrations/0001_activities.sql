-- Tickets, and what is known about them. The organisation leads every key (design §6).

-- A family is everything that splits, merges, conversions and Sub-Cases tie together. Its row is the lock
-- that everybody takes first, in order of id (design §3).
CREATE TABLE families (
    organisation text NOT NULL,
    id           uuid NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- The next free number of an organisation's references. Never given twice.
CREATE TABLE reference_counters (
    organisation text   NOT NULL PRIMARY KEY,
    next_number  bigint NOT NULL CHECK (next_number > 0)
) WITH (fillfactor = 50);

-- How each activity stands now. What led there is in `history`. Its timer stands in `timers`, its contacts
-- in `activity_contacts`, its links in `links`.
CREATE TABLE activities (
    organisation         text    NOT NULL,
    id                   uuid    NOT NULL,
    family               uuid    NOT NULL,
    kind                 text    NOT NULL CHECK (kind IN ('ticket')),
    number               bigint  NOT NULL,
    reference            text    NOT NULL,
    version              int     NOT NULL CHECK (version > 0),
    process              text    NOT NULL,
    title                text    NOT NULL,
    description          text    NOT NULL,
    category             text,
    status               text    NOT NULL
        CHECK (status IN ('draft', 'to_do', 'in_progress', 'wait', 'resolved', 'closed')),
    wait                 text    CHECK (wait IN ('more_information', 'until')),
    wait_until           timestamptz,
    wait_days            int,
    close_if_no_response boolean NOT NULL,
    generation           int     NOT NULL CHECK (generation >= 0),
    started_by           text    NOT NULL CHECK (started_by IN ('workflow', 'manual', 'self_service',
        'robotics', 'email', 'ticket', 'bulk_upload', 'schedule', 'linked_work_item')),
    conversation         text    NOT NULL,
    created_at           timestamptz NOT NULL,
    mailbox              text,
    opening_mail         uuid,
    automated_mail       boolean NOT NULL,
    assignee             text,
    owner                text,
    queue                text,
    new_information      boolean NOT NULL,
    first_resolution     jsonb,
    resolution           jsonb,
    reopening            jsonb,
    written              jsonb   NOT NULL,
    PRIMARY KEY (organisation, id),
    UNIQUE (organisation, number, kind),
    UNIQUE (organisation, reference),
    CHECK ((status = 'wait') = (wait IS NOT NULL)),
    CHECK ((wait IS NULL) = (wait_until IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX activities_by_status ON activities (organisation, status, number DESC);
CREATE INDEX activities_by_queue ON activities (organisation, queue, number DESC) WHERE queue IS NOT NULL;
CREATE INDEX activities_by_assignee ON activities (organisation, assignee, number DESC)
    WHERE assignee IS NOT NULL;
CREATE INDEX activities_by_conversation ON activities (organisation, conversation);
CREATE INDEX activities_by_process ON activities (organisation, process, number DESC);
CREATE INDEX activities_with_new_information ON activities (organisation, number DESC) WHERE new_information;

-- What happened, append-only: each record as it was published, which holds ids and no personal data, with
-- the columns of ST-16. The timeline is read from here, its texts from `mails` and `notes`.
CREATE TABLE history (
    organisation text        NOT NULL,
    activity     uuid        NOT NULL,
    version      int         NOT NULL,
    type         text        NOT NULL,
    at           timestamptz NOT NULL,
    actor_kind   text        NOT NULL CHECK (actor_kind IN ('user', 'robot', 'system', 'integration')),
    actor        text        NOT NULL,
    rule         text        NOT NULL,
    was          text,
    status       text,
    reason       text,
    wait         text,
    method       text,
    mail         uuid,
    note         uuid,
    event        jsonb       NOT NULL,
    PRIMARY KEY (organisation, activity, version)
);
-- Its owner may grant this back, but no mistake of ours changes the past.
REVOKE UPDATE, DELETE, TRUNCATE ON history FROM CURRENT_USER;

-- Internal notes: texts only, who wrote one when is history.
CREATE TABLE notes (
    organisation text NOT NULL,
    id           uuid NOT NULL,
    activity     uuid NOT NULL,
    text         text NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- People, by their address, which is unique (CT-15) and in lower case. `company` is empty for a global one
-- (CT-10); the system's own are marked until somebody edits them (CT-16).
CREATE TABLE contacts (
    organisation text    NOT NULL,
    id           uuid    NOT NULL,
    address      text    NOT NULL,
    first_name   text    NOT NULL,
    last_name    text    NOT NULL,
    company      text,
    language     text,
    auto_created boolean NOT NULL,
    PRIMARY KEY (organisation, id),
    UNIQUE (organisation, address)
);

-- Who is who on an activity: each tag but cc is held once (CT-3).
CREATE TABLE activity_contacts (
    organisation text NOT NULL,
    activity     uuid NOT NULL,
    tag          text NOT NULL
        CHECK (tag IN ('primary_contact', 'original_requester', 'requester', 'subject', 'cc')),
    contact      uuid NOT NULL,
    PRIMARY KEY (organisation, activity, tag, contact)
);
CREATE UNIQUE INDEX activity_tags_are_held_once ON activity_contacts (organisation, activity, tag)
    WHERE tag <> 'cc';
CREATE INDEX activities_of_a_contact ON activity_contacts (organisation, contact);

-- Loose links (LK-2), one row for each direction.
CREATE TABLE links (
    organisation text NOT NULL,
    activity     uuid NOT NULL,
    linked       uuid NOT NULL,
    reason       text NOT NULL,
    PRIMARY KEY (organisation, activity, linked)
);
