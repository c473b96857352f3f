-- How long a row has been waiting is a question that people ask. Older code fills it in without knowing it.
ALTER TABLE outbox ADD COLUMN added_at timestamptz NOT NULL DEFAULT now();
