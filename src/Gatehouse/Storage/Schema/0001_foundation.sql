-- One text for both engines. Times are Unix milliseconds, ids UUIDv7, flags 0 or 1. Compared columns hold '' instead of NULL.
-- Column names are unique across tables, because SQLite's RETURNING and UPDATE … FROM take unqualified names.

-- What a newly created user is numbered, beside its id.
CREATE TABLE counters (
    counter_name text PRIMARY KEY,
    counter_value bigint NOT NULL
);
INSERT INTO counters (counter_name, counter_value) VALUES ('user_number', 0);

-- Settings that an operator may change while the product runs; a missing row means the configured default.
CREATE TABLE settings (
    setting_name text PRIMARY KEY,
    setting_value text NOT NULL
);

-- One row per e-mail address that was ever bound to a user or blocked. Creating a user and blocking an address both write
-- this row first, so that neither can slip past the other.
CREATE TABLE addresses (
    address text PRIMARY KEY,
    address_blocked_at bigint NOT NULL DEFAULT 0
);

CREATE TABLE users (
    user_id uuid PRIMARY KEY,
    user_number bigint NOT NULL UNIQUE,
    email text NOT NULL,
    email_verified smallint NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    avatar text,
    department text,
    password_hash text NOT NULL,
    user_status text NOT NULL,
    platform_role text NOT NULL,
    auth_epoch bigint NOT NULL,
    locale text NOT NULL,
    time_zone text NOT NULL,
    date_format text NOT NULL,
    time_format text NOT NULL,
    user_created_at bigint NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email) WHERE email <> '';

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    handle text NOT NULL UNIQUE,
    tenant_name text NOT NULL,
    domain text,
    logo text,
    primary_color text NOT NULL,
    plan text NOT NULL,
    tenant_time_zone text NOT NULL,
    tenant_created_at bigint NOT NULL
);

CREATE TABLE memberships (
    member_user_id uuid NOT NULL REFERENCES users (user_id),
    member_tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
    member_role text NOT NULL,
    member_since bigint NOT NULL,
    -- When the role was last given or changed; part of what a cached view of permissions is tagged with.
    member_changed_at bigint NOT NULL,
    PRIMARY KEY (member_user_id, member_tenant_id)
);
CREATE INDEX memberships_tenant ON memberships (member_tenant_id);

-- Everything that authenticates is a row here. Columns that a refresh changes are in no index, so that PostgreSQL can keep the
-- new row version on the same page.
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    kind text NOT NULL,
    session_user_id uuid NOT NULL,
    session_tenant_id uuid,
    client_id text NOT NULL,
    dpop_jkt text NOT NULL,
    parent_id uuid,
    session_status text NOT NULL,
    version bigint NOT NULL,
    published_version bigint NOT NULL,
    roles text NOT NULL,
    permission_version bigint NOT NULL,
    scope text NOT NULL,
    amr text NOT NULL,
    auth_time bigint NOT NULL,
    secret_hash text NOT NULL,
    refresh_secret bytea NOT NULL,
    refresh_key bigint NOT NULL,
    generation bigint NOT NULL,
    rotated_at bigint NOT NULL,
    refresh_tat bigint NOT NULL,
    retry_hash text NOT NULL,
    idle_ttl bigint NOT NULL,
    idle_until bigint NOT NULL,
    absolute_until bigint NOT NULL,
    session_created_at bigint NOT NULL,
    last_accessed_at bigint NOT NULL,
    revoked_at bigint NOT NULL,
    reason_code text NOT NULL,
    revoked_by text NOT NULL,
    method text NOT NULL,
    device_name text NOT NULL,
    ip text NOT NULL,
    ip_prefix text NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (session_user_id, session_status);
CREATE INDEX sessions_place ON sessions (session_user_id, ip_prefix);
CREATE INDEX sessions_end ON sessions (absolute_until);
CREATE INDEX sessions_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE keys (
    key_number bigint PRIMARY KEY,
    key_use text NOT NULL,
    key_state text NOT NULL,
    public_key bytea NOT NULL,
    sealed_key bytea NOT NULL,
    published_at bigint NOT NULL,
    activated_at bigint NOT NULL,
    retired_at bigint NOT NULL
);
-- Two processes that start on an empty database both try to make the first keys; one of them succeeds.
CREATE UNIQUE INDEX keys_in_use ON keys (key_use, key_state) WHERE key_state <> 'retired';

-- One theoretical arrival time (GCRA) per throttled key; a row whose time has passed says nothing and may go.
CREATE TABLE throttles (
    throttle_key text PRIMARY KEY,
    tat bigint NOT NULL
);

CREATE TABLE audit_events (
    audit_id uuid PRIMARY KEY,
    audit_at bigint NOT NULL,
    audit_action text NOT NULL,
    audit_outcome text NOT NULL,
    audit_user_id uuid,
    audit_session_id uuid,
    audit_tenant_id uuid,
    audit_actor_type text NOT NULL,
    audit_actor_id text NOT NULL,
    audit_request_id text NOT NULL,
    -- The address goes after a month, its network stays as long as the row.
    audit_ip text NOT NULL,
    audit_ip_prefix text NOT NULL,
    audit_address_hash text NOT NULL,
    audit_details text NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (audit_at);
CREATE INDEX audit_events_user ON audit_events (audit_user_id, audit_id);

-- Mail and SMS that a committed change owes somebody; a worker sends them afterwards.
CREATE TABLE outbox (
    message_id uuid PRIMARY KEY,
    channel text NOT NULL,
    recipient text NOT NULL,
    template text NOT NULL,
    language text NOT NULL,
    message_data text NOT NULL,
    send_attempts bigint NOT NULL,
    due_at bigint NOT NULL,
    queued_at bigint NOT NULL,
    message_expires_at bigint
);
CREATE INDEX outbox_due ON outbox (due_at);
