-- Sub-Cases. Older code goes on beside newer code, but does not know them: it lets a Case end before its Sub-Cases,
-- and does not see what they share. So configure and start them when all are upgraded.
-- Under a Sub-Case, contacts, fields, links and files are those of the Case at the top.
ALTER TABLE activities ADD COLUMN borne_by uuid;
