-- Since when the text and files of a mail are gone, and those that people wrote on an activity.
ALTER TABLE mails ADD COLUMN removed_at timestamptz;
CREATE INDEX mails_with_texts ON mails (at) WHERE removed_at IS NULL;
ALTER TABLE activities ADD COLUMN texts_removed_at timestamptz;
CREATE INDEX closed_activities_with_texts ON activities (created_at)
    WHERE status = 'closed' AND texts_removed_at IS NULL;
CREATE INDEX answered_requests_by_time ON answered_requests (asked_at);
