-- Contacts that people make, edit, merge and erase. Older code makes contacts as before, and leaves what it
-- does not know as it is.
ALTER TABLE contacts
    ADD COLUMN version     int     NOT NULL DEFAULT 1 CHECK (version > 0),
    -- It was made in test mode (CT-18).
    ADD COLUMN test        boolean NOT NULL DEFAULT false,
    -- The tag that it brings along wherever it is put (CT-17).
    ADD COLUMN extra_tag   text
        CHECK (extra_tag IN ('primary_contact', 'original_requester', 'requester', 'subject', 'cc')),
    -- Who it is now: its address and its tags lead there. Of a person who was erased only the id is left.
    ADD COLUMN merged_into uuid,
    ADD COLUMN erased_at   timestamptz;
CREATE INDEX contacts_merged ON contacts (organisation, merged_into) WHERE merged_into IS NOT NULL;
