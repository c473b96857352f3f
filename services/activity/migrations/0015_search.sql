-- Search for Tickets as somebody types: by the beginnings of words of titles, of contacts' names and addresses, and
-- of mails. Words are as they were written, in any language. What is removed from a mail goes from here with it.
CREATE INDEX activities_by_word ON activities USING gin (to_tsvector('simple', title));
CREATE INDEX contacts_by_word ON contacts USING gin (
    to_tsvector('simple', first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     '))
);
CREATE INDEX mails_by_word ON mails USING gin (
    to_tsvector('simple', left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000))
);
-- A contact's newest activities first; it does what the index without `activity` did.
CREATE INDEX activities_of_a_contact_by_age ON activity_contacts (organisation, contact, activity);
DROP INDEX activities_of_a_contact;
