-- oldest code: 0017
-- Code that does not know 0017 locks the family that a Ticket was opened in, and not the root that this family
-- stands under since a merge; what it writes then may be overwritten, or overwrite. It does not know a Ticket that
-- waits for its parts either. So it does not start on this schema; what runs of it is stopped before the first
-- split or merge.
COMMENT ON COLUMN families.root IS
    'The family under whose lock this one stands since a merge; empty where it is its own';
