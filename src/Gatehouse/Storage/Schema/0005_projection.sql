-- What a separate feed still lacks; in the usual case this index is empty.
CREATE INDEX sessions_unpublished ON sessions (version) WHERE version > published_version;
