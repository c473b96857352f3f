-- concurrently
-- Which flows open Cases run through: whoever takes something away wants to know whether one names it, and all
-- other work waits meanwhile. Older code goes on.
CREATE INDEX CONCURRENTLY flows_of_open_cases ON activities (organisation, jsonb_hash_extended(flow, 0))
    WHERE kind = 'case' AND status <> 'closed';
