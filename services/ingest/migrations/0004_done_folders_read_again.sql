-- After a backup was restored: what came since lies in the done folder, and is taken in from there. Older code
-- leaves the column as it is.
ALTER TABLE mailboxes ADD COLUMN reread boolean NOT NULL DEFAULT false;
