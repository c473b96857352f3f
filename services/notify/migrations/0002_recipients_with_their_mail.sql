-- oldest code: 0002
-- A mail's recipients stand in its own row: each attempt reads and writes all of them, and nothing else does.

ALTER TABLE outgoing_mails ADD COLUMN recipients jsonb NOT NULL DEFAULT '[]';
UPDATE outgoing_mails AS mail
SET recipients = (
    SELECT jsonb_agg(
        jsonb_build_object('address', address, 'result', result, 'code', code, 'answer', answer)
        ORDER BY position
    )
    FROM outgoing_recipients AS recipient
    WHERE recipient.organisation = mail.organisation AND recipient.mail = mail.id
)
WHERE EXISTS (
    SELECT FROM outgoing_recipients AS recipient
    WHERE recipient.organisation = mail.organisation AND recipient.mail = mail.id
);
ALTER TABLE outgoing_mails ALTER COLUMN recipients DROP DEFAULT;

-- Who was sent an automatic mail, and when: what AMB-37 counts. Append-only.
CREATE TABLE automatic_mails (
    organisation text        NOT NULL,
    -- In the spelling that is counted by.
    address      text        NOT NULL,
    at           timestamptz NOT NULL
);
INSERT INTO automatic_mails (organisation, address, at)
SELECT organisation, counted_as, counted_at FROM outgoing_recipients WHERE counted_at IS NOT NULL;
CREATE INDEX automatic_mails_counted ON automatic_mails (organisation, address, at);
DROP TABLE outgoing_recipients;

-- A mail's bytes never change: out of its row, they are not written again with each change of its state. Nor is
-- it tried to compress them, for which there is little to gain.
ALTER TABLE outgoing_mails SET (toast_tuple_target = 1024);
ALTER TABLE outgoing_mails ALTER COLUMN mime SET STORAGE EXTERNAL;

-- Attempts are added in the statement that changes their mail: looking for it once more proves nothing.
ALTER TABLE outgoing_attempts DROP CONSTRAINT outgoing_attempts_organisation_mail_fkey;
