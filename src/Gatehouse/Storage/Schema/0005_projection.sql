-- What a feed in a database of its own still lacks. A feed in the store lacks nothing and leaves published_version alone.
CREATE INDEX sessions_unpublished ON sessions (version) WHERE version > published_version;

-- Each process proves once a second, by writing here, that what it reads from the feed comes from a database that takes writes.
CREATE TABLE feed_heartbeats (
    beat_node uuid PRIMARY KEY,
    beat_at bigint NOT NULL
);
