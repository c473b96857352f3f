-- concurrently
-- Due timers are found mailbox by mailbox, each up to where it was read: those that wait for one mailbox are not
-- looked at, however many they are. Older code goes on, but reads all of `timers` to find those that are due.
CREATE INDEX CONCURRENTLY timers_by_mailbox ON timers (organisation, coalesce(mailbox, ''), due_at, activity)
    INCLUDE (mailbox, generation, closes);
DROP INDEX CONCURRENTLY timers_by_due_time;
