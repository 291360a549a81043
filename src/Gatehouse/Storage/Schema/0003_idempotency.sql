-- The answer of a write that carried an Idempotency-Key, committed with its effect. The row's id is a keyed hash of who asked for
-- what under which key; the answer is sealed under a key that only that client's key yields.
CREATE TABLE idempotency (
    once_id text PRIMARY KEY,
    once_body_hash text NOT NULL,
    once_reply bytea NOT NULL,
    once_at bigint NOT NULL
);
CREATE INDEX idempotency_at ON idempotency (once_at);
