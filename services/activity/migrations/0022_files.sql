-- Files that people put on activities; their bytes lie in the blob store. A removed one keeps its row: what was
-- merged into another activity has the same file, and its history is closed (NT-20). Older code goes on beside this
-- one, but neither splits nor merges take files along there.
CREATE TABLE files (
    organisation text        NOT NULL,
    id           uuid        NOT NULL,
    object       text        NOT NULL,
    sha256       text        NOT NULL,
    size         bigint      NOT NULL CHECK (size > 0),
    media_type   text        NOT NULL,
    name         text        NOT NULL,
    tags         jsonb       NOT NULL,
    added_at     timestamptz NOT NULL,
    actor_kind   text        NOT NULL CHECK (actor_kind IN ('user', 'robot', 'system', 'integration')),
    actor        text        NOT NULL,
    removed_at   timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX files_by_object ON files (object) WHERE removed_at IS NULL;

-- On which activities a file stands: more than one where others were merged into one (LK-1).
CREATE TABLE activity_files (
    organisation text NOT NULL,
    activity     uuid NOT NULL,
    file         uuid NOT NULL,
    PRIMARY KEY (organisation, activity, file)
);
CREATE INDEX activities_of_a_file ON activity_files (organisation, file);

-- A mail that was sent with a file keeps its bytes when the file is removed: the sweep asks whether there is one.
CREATE INDEX mails_by_sent_object ON mails USING gin ((content -> 'attachments') jsonb_path_ops)
    WHERE direction = 'out' AND content -> 'attachments' <> '[]';

-- Objects of the blob store that nobody refers to and that may be gone at any time from now (shared/sweeping.py).
CREATE TABLE doomed_objects (
    object    text        PRIMARY KEY,
    doomed_at timestamptz NOT NULL,
    swept_at  timestamptz
);
CREATE INDEX doomed_objects_that_are_there ON doomed_objects (doomed_at) WHERE swept_at IS NULL;
CREATE INDEX doomed_objects_that_are_gone ON doomed_objects (swept_at) WHERE swept_at IS NOT NULL;
