"""From raw bytes to a `ParsedMail`, in a child process with limits (design §3)."""
