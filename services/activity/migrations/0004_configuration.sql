-- Who applied which version of the configuration, and when.
CREATE TABLE configuration_log (
    organisation text        NOT NULL,
    version      int         NOT NULL,
    digest       text        NOT NULL,
    actor        text        NOT NULL,
    applied_at   timestamptz NOT NULL,
    PRIMARY KEY (organisation, version)
);
