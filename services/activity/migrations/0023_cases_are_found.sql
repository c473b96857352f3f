-- concurrently
-- A number is a Ticket's or a Case's, once each; Actions have that of their Case (GL-6, GL-7).
CREATE UNIQUE INDEX CONCURRENTLY activities_by_number ON activities (organisation, number, kind)
    WHERE kind <> 'action';
-- Lists go by number, and of Actions of one Case by what was launched when.
CREATE INDEX CONCURRENTLY activities_in_order ON activities (organisation, number, id);
-- What runs under a Case is read with it, what has ended is not.
CREATE INDEX CONCURRENTLY activities_under_a_case ON activities (organisation, parent)
    WHERE kind <> 'ticket' AND status <> 'closed';
