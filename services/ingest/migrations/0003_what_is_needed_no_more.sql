-- What of a mail lies in the blob store, so that the sweep knows what is needed. NULL where older code took the
-- mail in: nothing is swept while there is such a row.
ALTER TABLE raw_mails ADD COLUMN objects text[];
CREATE INDEX raw_mails_by_object ON raw_mails USING gin (objects) WHERE objects <> '{}';
CREATE INDEX raw_mails_of_older_code ON raw_mails (organisation) WHERE objects IS NULL;

-- Since when activity needs a mail no more, and since when its bytes are gone. The row itself stays for ever: it
-- keeps the mail from being taken for a new one.
ALTER TABLE mails ADD COLUMN unneeded_at timestamptz, ADD COLUMN removed_at timestamptz;
CREATE INDEX mails_unneeded ON mails (unneeded_at) WHERE unneeded_at IS NOT NULL AND removed_at IS NULL;
CREATE INDEX mails_of_nobody ON mails (received_at) WHERE state <> 'received' AND removed_at IS NULL;

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
