-- Erasing a person (docs/operating.md). Older code leaves the new columns as they are; what it is told of a mail that
-- newer code has erased, it would write down again, so erase people when all processes are upgraded.

-- Who erased a person and why, beside `erased_at`.
ALTER TABLE contacts ADD COLUMN erased_by text, ADD COLUMN erased_because text;

-- What such a mail said is gone for good: no later copy and no report brings it back.
ALTER TABLE mails ADD COLUMN erased_at timestamptz;

-- On whose mails somebody stands is asked when they are erased, while all of the organisation's work waits.
CREATE INDEX correspondents_by_address ON correspondents (organisation, address);
