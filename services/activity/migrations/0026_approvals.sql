-- Mails that ask for an approval. What is here fulfils what was narrower.
ALTER TABLE mails DROP CONSTRAINT mails_purpose_check;
ALTER TABLE mails ADD CONSTRAINT mails_purpose_check
    CHECK (purpose IN ('acknowledgement', 'no_response', 'split', 'case_launched', 'action', 'approval', 'reply'))
    NOT VALID;
