"""What tests share: real servers, databases and mailboxes of their own, waiting for a condition."""
