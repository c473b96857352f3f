-- Who did what with which dead letter: `mailroom dlq` writes it in the transaction that puts the record into an
-- outbox, so that none is put back twice. Append-only: one that was discarded may still be replayed later. Older
-- code knows nothing of it and can live with it.
-- A letter is known by its place and the time it bears: a topic that was made anew counts from zero again.
CREATE TABLE dead_letter_actions (
    topic          text        NOT NULL,
    partition      int         NOT NULL,
    letter_offset  bigint      NOT NULL,
    died_at        timestamptz NOT NULL,
    action         text        NOT NULL CHECK (action IN ('replayed', 'discarded')),
    done_by        text        NOT NULL,
    done_at        timestamptz NOT NULL DEFAULT now(),
    why            text        NOT NULL DEFAULT '',
    back_topic     text,
    back_partition int,
    PRIMARY KEY (topic, partition, letter_offset, died_at, action),
    CHECK ((action = 'replayed') = (back_topic IS NOT NULL)),
    CHECK ((back_topic IS NULL) = (back_partition IS NULL))
);
