-- Every change to a session, as the snapshot it left. A number from a sequence is drawn before its transaction commits, so the
-- reader goes by transaction id: what was not yet visible in its last snapshot.
CREATE TABLE session_feed (
    feed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    feed_session_id uuid NOT NULL,
    feed_snapshot text NOT NULL,
    feed_at bigint NOT NULL
);
CREATE INDEX session_feed_xid ON session_feed (feed_xid);
CREATE INDEX session_feed_at ON session_feed (feed_at);
-- Room on each page for the next version of a row, so that a refresh touches no index.
ALTER TABLE sessions SET (fillfactor = 80);
ALTER TABLE throttles SET (fillfactor = 70);
