-- Mails with attachments are base64: to try and compress each was most of what Postgres did for one. Older code
-- sees no difference.
ALTER TABLE raw_mails ALTER COLUMN bytes SET STORAGE EXTERNAL;
