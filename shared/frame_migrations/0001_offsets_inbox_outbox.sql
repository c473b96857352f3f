-- What every service keeps beside its own tables: how far it has read, what it has seen, what it has to say.

-- How far each consumer has read, moved in the transaction of the effect (design §2).
CREATE TABLE offsets (
    consumer    text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    moved_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

-- What producers may repeat. A partition holds one period of arrival; old ones are dropped whole
-- (shared/inbox.py makes and drops them). The period stands last in the key: a repeat is looked for in all.
CREATE TABLE inbox (
    consumer text NOT NULL,
    source   text NOT NULL,
    id       text NOT NULL,
    period   int  NOT NULL,
    PRIMARY KEY (consumer, source, id, period)
) PARTITION BY LIST (period);

-- What is to be published, in order of `id` per key. `transaction_id` stands before `id`, because columns are
-- filled in order: the transaction has its number before the row has its id (shared/outbox.py needs that).
CREATE TABLE outbox (
    transaction_id xid8   NOT NULL DEFAULT pg_current_xact_id(),
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic          text   NOT NULL,
    key            bytea,
    value          bytea,
    headers        text   NOT NULL,
    partition      int    CHECK (partition >= 0)  -- for what every partition is told; else the key chooses
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- The last offset of ours in each topic: what is found behind it was written by a future that was lost.
CREATE TABLE relay_progress (
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    last_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
