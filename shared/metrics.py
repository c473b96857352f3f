"""Every metric of every service, in one place, each with a sentence that says what it tells.

Names: `mailroom_<what>_<unit>`; counters end in `_total`, durations in `_seconds`, sizes in `_bytes`. Labels
have few values: never an address, an id or an organisation.
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# A second series for each metric, with the time of its first sample, tells nothing that anyone asked.
disable_created_metrics()  # type: ignore[no-untyped-call]

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# --- the process ------------------------------------------------------------------------------------

BUILD_INFO = Gauge(
    "mailroom_build_info", "Which version of which service runs; always 1.", ["service", "version"]
)
COMPONENT_READY = Gauge(
    "mailroom_component_ready",
    "Whether a component of the process can do its work (1) or not (0).",
    ["component"],
)
EVENT_LOOP_LAG = Histogram(
    "mailroom_event_loop_lag_seconds",
    "How much later than asked the event loop woke up a sleeper; long ones cost Kafka heartbeats.",
    buckets=_FAST,
)

# --- HTTP -------------------------------------------------------------------------------------------

HTTP_REQUESTS = Histogram(
    "mailroom_http_request_seconds",
    "Time from a request's first byte to its answer, by route template and status.",
    ["method", "route", "status"],
    buckets=_FAST,
)
AUTHENTICATION_FAILURES = Counter(
    "mailroom_authentication_failures_total",
    "Requests whose token was missing or refused, by reason.",
    ["reason"],
)
JWKS_REFRESHES = Counter(
    "mailroom_jwks_refreshes_total",
    "Attempts to read the token issuer's public keys, by outcome.",
    ["outcome"],
)

# --- blobs ------------------------------------------------------------------------------------------

BLOB_SECONDS = Histogram(
    "mailroom_blob_operation_seconds",
    "Time that the blob store took, by operation.",
    ["operation"],
    buckets=_FAST,
)
BLOB_WRITTEN = Counter("mailroom_blob_written_bytes_total", "Bytes put into the blob store.")
BLOB_FAILURES = Counter(
    "mailroom_blob_failures_total",
    "Operations on the blob store that failed, by operation and kind.",
    ["operation", "kind"],
)

# --- retention (shared/retention.py) ------------------------------------------------------------------

RETENTION_REMOVED = Counter(
    "mailroom_retention_removed_total",
    "What was kept long enough and is removed, by rule: see `mailroom retention run --dry-run`.",
    ["service", "rule"],
)
RETENTION_FAILURES = Counter(
    "mailroom_retention_failures_total",
    "Times that what was kept long enough could not be removed; the next look tries again.",
    ["service"],
)

# --- records in: consumers (shared/kafka.py, shared/consumption.py) -----------------------------------

RECORDS_DONE = Counter(
    "mailroom_records_done_total",
    "Records whose offset was committed, by outcome: worked, repeated, passed_over (an event of an unknown "
    "type), refused (and answered), dead (in the dead letters).",
    ["consumer", "outcome"],
)
BATCH_SECONDS = Histogram(
    "mailroom_batch_seconds",
    "Time from the begin of a batch's transaction to its commit.",
    ["consumer"],
    buckets=_FAST,
)
BATCH_RECORDS = Histogram(
    "mailroom_batch_records",
    "Records that were taken into one transaction.",
    ["consumer"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
)
BATCH_RETRIES = Counter(
    "mailroom_batch_retries_total",
    "Batches begun again because of something that passes by itself, by the error's class.",
    ["consumer", "error"],
)
FENCES_LOST = Counter(
    "mailroom_fences_lost_total",
    "Batches dropped because another process had moved the offset.",
    ["consumer"],
)
CONSUMER_PROBING = Gauge(
    "mailroom_consumer_probing",
    "1 while many records in a row failed and the consumer only tries one now and then: a bug, act.",
    ["consumer"],
)
PARTITION_STOPPED = Gauge(
    "mailroom_partition_stopped",
    "1 while a partition is not read: its offset is out of range or was never registered. Act.",
    ["consumer", "topic", "partition"],
)
CONSUMER_LAG = Gauge(
    "mailroom_consumer_lag_records",
    "Records of a partition that are not worked on yet.",
    ["consumer", "topic", "partition"],
)
CONSUMER_LAG_SECONDS = Gauge(
    "mailroom_consumer_lag_seconds",
    "How old the oldest record is that this process has still to work on, to about five seconds; 0 for none.",
    ["consumer"],
)
CONSUMER_RESTARTS = Counter(
    "mailroom_consumer_restarts_total",
    "Consumers recreated after an error or because they stood still.",
    ["consumer"],
)

# --- records out: the relay (shared/relay.py) ---------------------------------------------------------

RELAY_LEADER = Gauge(
    "mailroom_relay_leader", "1 in the process whose relay publishes the outbox.", ["service"]
)
RELAY_PUBLISHED = Counter(
    "mailroom_relay_published_total", "Records published from the outbox.", ["service", "topic"]
)
RELAY_WAITING = Gauge(
    "mailroom_relay_waiting_records",
    "Outbox rows that the last look found unpublished (at most one page).",
    ["service"],
)
OUTBOX_OLDEST = Gauge(
    "mailroom_outbox_oldest_seconds",
    "For how long the oldest row of the outbox has been waiting to be published, whoever should do it.",
    ["service"],
)
RELAY_FAILURES = Counter(
    "mailroom_relay_failures_total",
    "Times the relay lost its connection, its producer or its leadership, by the error's class.",
    ["service", "error"],
)
RELAY_REFUSED = Gauge(
    "mailroom_relay_refused",
    "1 while the relay refuses to publish: its topics hold records that its outbox never had. Act.",
    ["service"],
)

# --- outgoing mail (services/notify) --------------------------------------------------------------------

OUTGOING_DECIDED = Counter(
    "mailroom_outgoing_decided_total",
    "Requested mails that were decided about: composed, or the code of the rule that refused them.",
    ["outcome"],
)
OUTGOING_ATTEMPTS = Counter(
    "mailroom_outgoing_attempts_total",
    "Attempts to send, by what became of the mail: sent, deferred, failed, unanswered.",
    ["outcome"],
)
OUTGOING_REPEATS = Counter(
    "mailroom_outgoing_repeats_total",
    "Mails sent again although the first try may have arrived, same Message-ID: 'lost' with a process that "
    "died, or 'unanswered' by the server.",
    ["cause"],
)
OUTGOING_SECONDS = Histogram(
    "mailroom_outgoing_seconds",
    "Time that one SMTP server took for one mail, from the envelope to its last answer.",
    buckets=(*_FAST, 30.0, 60.0, 300.0),
)
OUTGOING_QUEUE = Gauge(
    "mailroom_outgoing_queue_mails", "Mails that are not sent yet: queued, sending, deferred.", ["state"]
)
OUTGOING_OLDEST = Gauge(
    "mailroom_outgoing_oldest_seconds",
    "For how long the oldest mail that could be sent now has been waiting for its turn.",
)
OUTGOING_HELD = Gauge(
    "mailroom_outgoing_held_mails",
    "Mails that nobody sends: their mailbox is gone, or its SMTP server is not in the settings. Act.",
)
SMTP_PAUSED = Gauge(
    "mailroom_smtp_paused", "1 while an SMTP server is left alone because it does not work.", ["server"]
)

# --- mail in: ingest ----------------------------------------------------------------------------------

MAILS_TAKEN = Counter(
    "mailroom_mails_taken_total",
    "Mails taken in, by what became of them: received, own, unhandled, repeated.",
    ["outcome"],
)
MAILBOXES = Gauge(
    "mailroom_mailboxes",
    "Mailboxes of this process by state: connected, failing (see /v1/mailboxes), waiting (for its turn).",
    ["state"],
)
MAILBOX_WAITING = Gauge(
    "mailroom_mailbox_waiting_mails",
    "Mails that lay in all mailboxes and were not taken in when these were last looked at.",
)
MAILBOX_OLDEST = Gauge(
    "mailroom_mailbox_oldest_seconds",
    "How long ago the oldest mail came that was seen in a mailbox and is not taken in yet.",
)
MAILBOX_UNREAD = Gauge(
    "mailroom_mailbox_unread_seconds",
    "How long ago a mailbox was last read to its end, of the one for which that is longest.",
)
UNHANDLED_MAILS = Gauge(
    "mailroom_unhandled_mails",
    "Mails that wait for a person because they could not be read or routed, by reason.",
    ["reason"],
)
IMAP_FAILURES = Counter(
    "mailroom_imap_failures_total",
    "Errors at IMAP servers, by whether they pass by themselves: passing, lasting.",
    ["kind"],
)
MAILS_MOVED = Counter("mailroom_mails_moved_total", "Mails moved to their done folder.")
MAILS_SWEPT = Counter("mailroom_mails_swept_total", "Mails deleted from a done folder after their time.")

# --- activity ---------------------------------------------------------------------------------------

REQUESTS_ANSWERED = Counter(
    "mailroom_requests_answered_total",
    "Requests for a step, over Kafka and HTTP, by outcome: accepted, or the code of the refusal.",
    ["outcome"],
)
TIMER_OLDEST = Gauge(
    "mailroom_timer_oldest_seconds",
    "For how long the oldest timer has been due, by what it waits for: its turn, or a look into its mailbox.",
    ["waits_for"],
)
TIMERS_FIRED = Counter("mailroom_timers_fired_total", "Timers that were due and led to a step.")
TIMERS_FAILED = Counter(
    "mailroom_timers_failed_total", "Timers whose step failed by a mistake of ours; tried again later. Act."
)
SCHEDULE_OLDEST = Gauge(
    "mailroom_schedule_oldest_seconds",
    "For how long the oldest time of a schedule has come without its Case having begun.",
)
SCHEDULES_STARTED = Counter("mailroom_schedules_started_total", "Cases that began by a schedule.")
SCHEDULES_FAILED = Counter(
    "mailroom_schedules_failed_total", "Cases that could not begin by a schedule; tried again later. Act."
)
CASES_NEEDING_ATTENTION = Gauge(
    "mailroom_cases_needing_attention",
    "Cases that wait for a person because an Action failed or it cannot be said what comes next, by process: "
    "those of all organisations that have one of this name.",
    ["process"],
)
ATTENTION_OLDEST = Gauge(
    "mailroom_attention_oldest_seconds", "For how long the oldest of these Cases has needed attention."
)

RECORD_OUTCOMES = ("worked", "repeated", "passed_over", "refused", "dead")
"""Of `RECORDS_DONE`."""

_OUTCOMES = (
    (OUTGOING_ATTEMPTS, ("sent", "deferred", "failed", "unanswered")),
    (OUTGOING_REPEATS, ("lost", "unanswered")),
    (MAILS_TAKEN, ("received", "own", "unhandled", "repeated")),
)


def begin_at_zero(counter: Counter, *outcomes: str, **labels: str) -> None:
    """Show these series at once: one that began with its first event would hide it from `increase`."""
    for outcome in outcomes:
        counter.labels(**labels, **{counter._labelnames[-1]: outcome})


for _counter, _outcomes in _OUTCOMES:
    begin_at_zero(_counter, *_outcomes)
