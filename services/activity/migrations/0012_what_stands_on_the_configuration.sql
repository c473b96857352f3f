-- What a configuration takes away must not be in use, which is asked while all of the organisation's work waits.
CREATE INDEX activities_by_mailbox ON activities (organisation, mailbox, number DESC) WHERE mailbox IS NOT NULL;
CREATE INDEX open_activities_by_category ON activities (organisation, process, category, number DESC)
    WHERE category IS NOT NULL AND status <> 'closed';
CREATE INDEX open_activities_by_custom_field ON activities USING gin (fields)
    WHERE fields <> '{}' AND status <> 'closed';
CREATE INDEX contacts_by_company ON contacts (organisation, company) WHERE company IS NOT NULL;
