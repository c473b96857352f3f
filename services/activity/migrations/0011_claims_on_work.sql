-- Whom a Ticket's holders are looked for among when they are re-evaluated (ST-20): who keeps it with him, who
-- last changed it, who had it before, newest first. Then what robots may not have (ST-8), how often one was
-- given again what it had (ST-24), and why an activity waits. Older code leaves these columns as they are: what
-- they say is then as old as its last change by newer code, and never wrong enough to lose work.
ALTER TABLE activities ADD COLUMN keep_with_me text;
ALTER TABLE activities ADD COLUMN last_updater text;
ALTER TABLE activities ADD COLUMN previous jsonb NOT NULL DEFAULT '[]';
ALTER TABLE activities ADD COLUMN for_person boolean NOT NULL DEFAULT false;
ALTER TABLE activities ADD COLUMN handed_again int NOT NULL DEFAULT 0;
ALTER TABLE activities ADD COLUMN wait_reason text;
