-- Mails of an activity that begin a new one, and how far that is (CE-7). Older code leaves the column as it is.
ALTER TABLE activities ADD COLUMN departures jsonb NOT NULL DEFAULT '[]';
