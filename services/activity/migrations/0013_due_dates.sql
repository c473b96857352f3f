-- By when an activity is to be done: `due_at` is what people see, empty while the clock stands; `due` is all of
-- it, empty where nothing but the start counts (SL-1, SL-3). Older code leaves both as they are.
ALTER TABLE activities ADD COLUMN due jsonb;
