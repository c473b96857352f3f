-- What stands in an activity's custom fields, by their names (BK-14). Older code leaves it as it is.
ALTER TABLE activities ADD COLUMN fields jsonb NOT NULL DEFAULT '{}';
