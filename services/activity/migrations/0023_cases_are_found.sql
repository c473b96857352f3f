-- concurrently
-- A number is a Ticket's or a Case's, once each; Actions have that of their Case (GL-6, GL-7).
CREATE UNIQUE INDEX CONCURRENTLY activities_by_number ON activities (organisation, number, kind)
    WHERE kind <> 'action';
CREATE INDEX CONCURRENTLY actions_by_number ON activities (organisation, number, id) WHERE kind = 'action';
-- Cases end on the flow that they began with, so whoever changes it wants to know how many run.
CREATE INDEX CONCURRENTLY open_cases ON activities (organisation, process, number)
    WHERE kind = 'case' AND status <> 'closed';
-- A Case that runs stands in no queue: who is responsible for it has it among what he owns.
CREATE INDEX CONCURRENTLY running_cases ON activities
    (organisation, process, (coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz)), number)
    WHERE kind = 'case' AND status IN ('to_do', 'in_progress');
-- What runs under a Case is read with it, what has ended is not.
CREATE INDEX CONCURRENTLY activities_under_a_case ON activities (organisation, parent)
    WHERE kind <> 'ticket' AND status <> 'closed';
