"""What Mailroom says, as it says it: records of all topics for people at a terminal."""
