-- concurrently
-- What search reads from now on. Older code goes on, and finds what it is asked for more slowly.
CREATE INDEX CONCURRENTLY activities_by_dated_word ON activities USING gin (dated_words(id, title));
CREATE INDEX CONCURRENTLY contacts_by_dated_word ON contacts USING gin (
    dated_words(id, first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     '))
);
CREATE INDEX CONCURRENTLY mails_by_dated_word ON mails USING gin (
    dated_words(id, left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000))
);
DROP INDEX CONCURRENTLY activities_by_word;
DROP INDEX CONCURRENTLY contacts_by_word;
DROP INDEX CONCURRENTLY mails_by_word;
