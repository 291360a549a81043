-- One row per id that was handed out. The code belongs to the root and is derived, never stored; an id handed out while a code was
-- already on its way is an alias of that code's root, and only shares its code.
CREATE TABLE challenges (
    challenge_id uuid PRIMARY KEY,
    root_id uuid NOT NULL,
    -- 0 for a root, then 1, 2, …; aliases beyond the limit are dead.
    alias_number bigint NOT NULL,
    purpose text NOT NULL,
    challenge_address text NOT NULL,
    challenge_status text NOT NULL,
    delivery_outcome text NOT NULL,
    digits bigint NOT NULL,
    -- Wrong tries with the root's own id, and those with any of its aliases; both count on the root's row.
    own_tries bigint NOT NULL,
    alias_tries bigint NOT NULL,
    challenge_created_at bigint NOT NULL,
    challenge_expires_at bigint NOT NULL,
    -- How it was confirmed, so that a repetition can be told from a second use.
    confirmed_session_id uuid,
    confirmed_jkt text NOT NULL,
    confirmed_device text NOT NULL
);
-- Aliases are found through their roots, so that asking again and again does not lengthen the search.
CREATE INDEX challenges_address ON challenges (challenge_address, purpose, challenge_created_at) WHERE alias_number = 0;
CREATE INDEX challenges_root ON challenges (root_id);
CREATE INDEX challenges_expiry ON challenges (challenge_expires_at);

CREATE INDEX audit_events_session ON audit_events (audit_session_id, audit_id) WHERE audit_session_id IS NOT NULL;
