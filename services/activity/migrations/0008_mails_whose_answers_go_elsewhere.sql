-- Whether an answer to a mail comes to this activity because the mail stands on it (IN-2). Not to one that has it
-- as a copy (LK-5), nor to one that it has left. Older code lets answers come to all; so that it can live
-- with this, nothing more is asked of it.
ALTER TABLE activity_mails ADD COLUMN takes_answers boolean NOT NULL DEFAULT true;
