-- What was told of mails whose requests are worked over again after a backup was restored: the decision, and the
-- last result. It is filled by `mailroom recover` alone.
CREATE TABLE told_before (
    organisation text  NOT NULL,
    mail         uuid  NOT NULL,
    decided      jsonb,
    result       jsonb,
    PRIMARY KEY (organisation, mail)
);
