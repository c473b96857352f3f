-- Cases and Actions. Older code goes on beside newer code, but knows neither: a record about one that reaches it
-- goes to the dead letters, from where newer code takes it. So configure processes of Cases when all are upgraded.
ALTER TABLE activities DROP CONSTRAINT activities_kind_check;
ALTER TABLE activities ADD CONSTRAINT activities_kind_check CHECK (kind IN ('ticket', 'case', 'action')) NOT VALID;
-- `activities_by_number` is in its place.
ALTER TABLE activities DROP CONSTRAINT activities_organisation_number_kind_key;

-- A Case runs through the flow that it began with, and has come so far; an Action has its task.
ALTER TABLE activities ADD COLUMN flow jsonb, ADD COLUMN course jsonb, ADD COLUMN task jsonb;

-- Word of a Ticket that goes on as a Case.
ALTER TABLE mails DROP CONSTRAINT mails_purpose_check;
ALTER TABLE mails ADD CONSTRAINT mails_purpose_check
    CHECK (purpose IN ('acknowledgement', 'no_response', 'split', 'case_launched', 'reply')) NOT VALID;

-- A Case may wait for as long as it takes; that has no end of its own. What is here fulfils what was narrower.
ALTER TABLE activities DROP CONSTRAINT activities_wait_check;
ALTER TABLE activities ADD CONSTRAINT activities_wait_check
    CHECK (wait IN ('more_information', 'until', 'split', 'case_launched', 'pause')) NOT VALID;
ALTER TABLE activities DROP CONSTRAINT activities_wait_until_check;
ALTER TABLE activities ADD CONSTRAINT activities_wait_until_check
    CHECK (CASE wait
        WHEN 'until' THEN wait_until IS NOT NULL
        WHEN 'more_information' THEN kind <> 'ticket' OR wait_until IS NOT NULL
        ELSE wait_until IS NULL END) NOT VALID;
