-- Since when activity needs a mail no more, and since when its bytes are gone. The row itself stays for ever: it
-- keeps a repeated request from sending the mail again.
ALTER TABLE outgoing_mails ADD COLUMN unneeded_at timestamptz, ADD COLUMN removed_at timestamptz;
CREATE INDEX outgoing_mails_unneeded ON outgoing_mails (unneeded_at)
    WHERE unneeded_at IS NOT NULL AND removed_at IS NULL;
ALTER TABLE outgoing_mails DROP CONSTRAINT outgoing_mails_check5;
ALTER TABLE outgoing_mails ADD CONSTRAINT outgoing_mails_bytes CHECK (
    CASE WHEN state = 'refused' THEN num_nonnulls(message_id, sender, home, mime, mime_blob) = 0
         ELSE num_nonnulls(message_id, sender, home) = 3
              AND num_nonnulls(mime, mime_blob) = (removed_at IS NULL)::int END
);

-- What of a mail lies in the blob store, so that the sweep knows what is needed. NULL where older code composed
-- it: nothing is swept while there is such a row.
ALTER TABLE outgoing_mails ADD COLUMN objects text[];
CREATE INDEX outgoing_mails_by_object ON outgoing_mails USING gin (objects) WHERE objects <> '{}';
CREATE INDEX outgoing_mails_of_older_code ON outgoing_mails (organisation)
    WHERE objects IS NULL AND removed_at IS NULL AND state <> 'refused';

-- Whom an automatic mail was sent to long ago counts no more.
CREATE INDEX automatic_mails_by_time ON automatic_mails (at);

-- Objects of the blob store that nobody refers to and that may be gone at any time from now (shared/sweeping.py).
-- Who refers to one from here on puts it once more. A row outlives its object by as long as a transaction may
-- last, so that nobody misses it.
CREATE TABLE doomed_objects (
    object    text        PRIMARY KEY,
    doomed_at timestamptz NOT NULL,
    swept_at  timestamptz
);
CREATE INDEX doomed_objects_that_are_there ON doomed_objects (doomed_at) WHERE swept_at IS NULL;
CREATE INDEX doomed_objects_that_are_gone ON doomed_objects (swept_at) WHERE swept_at IS NOT NULL;
