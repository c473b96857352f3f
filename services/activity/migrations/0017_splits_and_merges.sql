-- Splits (T27) and merges (T33): what an activity came from and went into, and families that have become one.
-- Older code goes on beside newer code, but does not know a Ticket that waits for its parts: a record about one
-- that reaches it goes to the dead letters, from where newer code takes it. So split when all are upgraded.
ALTER TABLE activities ADD COLUMN parent uuid, ADD COLUMN merged_into uuid;
-- When the work began that it is about; empty where that is when it was opened itself (SL-6).
ALTER TABLE activities ADD COLUMN started_at timestamptz;
CREATE INDEX activities_of_a_split ON activities (organisation, parent) WHERE parent IS NOT NULL;
CREATE INDEX activities_of_a_merge ON activities (organisation, merged_into) WHERE merged_into IS NOT NULL;

-- A wait for other activities has no end of its own. What is here already fulfils what was narrower.
ALTER TABLE activities DROP CONSTRAINT activities_wait_check;
ALTER TABLE activities ADD CONSTRAINT activities_wait_check
    CHECK (wait IN ('more_information', 'until', 'split', 'case_launched')) NOT VALID;
ALTER TABLE activities DROP CONSTRAINT activities_check1;
ALTER TABLE activities ADD CONSTRAINT activities_wait_until_check
    CHECK (coalesce(wait IN ('more_information', 'until'), false) = (wait_until IS NOT NULL)) NOT VALID;
ALTER TABLE mails DROP CONSTRAINT mails_purpose_check;
ALTER TABLE mails ADD CONSTRAINT mails_purpose_check
    CHECK (purpose IN ('acknowledgement', 'no_response', 'split', 'reply')) NOT VALID;

-- A merge lets one family stand under the root of another: empty where it is its own root. Who locks an
-- activity locks the family that it was opened in, as older code does, and that one's root (design §3).
ALTER TABLE families ADD COLUMN root uuid;
CREATE INDEX families_of_a_root ON families (organisation, root) WHERE root IS NOT NULL;
