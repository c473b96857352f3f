-- concurrently
-- How many Cases need attention is asked all the time, and only those few are looked at. Older code goes on.
CREATE INDEX CONCURRENTLY cases_that_need_attention ON activities (organisation, process, id)
    WHERE kind = 'case' AND status <> 'closed' AND course ->> 'attention' = 'true';
