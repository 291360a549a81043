-- Every change to a session, as the snapshot it left, in commit order (there is one writer).
CREATE TABLE session_feed (
    feed_id integer PRIMARY KEY AUTOINCREMENT,
    feed_session_id uuid NOT NULL,
    feed_snapshot text NOT NULL,
    feed_at bigint NOT NULL
);
CREATE INDEX session_feed_at ON session_feed (feed_at);
