-- The organisation's configuration, as its owner stored it or as it arrived on activity.organisation.v1.
-- A section counts from the moment a version that includes it is applied (design §10).
CREATE TABLE organisation_sections (
    organisation text   NOT NULL,
    section      text   NOT NULL,
    version      int    NOT NULL CHECK (version > 0),
    content      jsonb  NOT NULL,
    PRIMARY KEY (organisation, section, version)
);

CREATE TABLE organisation_applied (
    organisation text   PRIMARY KEY,
    version      int    NOT NULL CHECK (version > 0),
    digest       text   NOT NULL,
    applied_at   timestamptz NOT NULL DEFAULT now()
);
