-- What people and robots work from: Inbox, queues and Owned Work (GL-2, ST-10), the soonest due first. What is
-- never due comes last: its place is taken by a time that no due date reaches, as a cursor has to name one.

-- Set when it comes back from a wait or a resolution, until somebody takes it or marks it as read (ST-10).
-- Older code leaves it as it is; what it takes stays marked until the next change of status.
ALTER TABLE activities ADD COLUMN returned boolean NOT NULL DEFAULT false;
ALTER TABLE activities ADD COLUMN IF NOT EXISTS due_at timestamptz;

CREATE INDEX activities_in_inboxes ON activities
    (organisation, assignee, coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), number)
    WHERE assignee IS NOT NULL;
CREATE INDEX activities_nobody_has ON activities
    (organisation, queue, coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), number)
    WHERE assignee IS NULL AND queue IS NOT NULL;
CREATE INDEX activities_owned ON activities
    (organisation, owner, coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), number)
    WHERE owner IS NOT NULL;
CREATE INDEX activities_at_rest ON activities
    (organisation, process, coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), number)
    WHERE status IN ('wait', 'resolved');
-- Counts come from here alone: what is closed, which is nearly all, is not in it.
CREATE INDEX open_activities_by_state ON activities
    (organisation, process, queue, status, wait, assignee, new_information)
    WHERE status <> 'closed';
