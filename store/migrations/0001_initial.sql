-- The first shape of the store.
--
-- Every table names its tenant, and every index begins with it. Times are milliseconds since 1970 UTC, 0 = never.
-- Documents (fields, bases, changes) are JSON text as core/fields.h writes it. Numbers that stand for words are listed
-- at their column; they are the order of the enum in the header of the table and never change.
-- Columns that are read for every row of a page stand in front of the documents, so that long documents are skipped.

-- An isolated customer.
CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO tenant (id, name) VALUES (1, 'default');

-- One tenant's account at one CRM: what is known between runs. Its settings are in the configuration file.
CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    adapter TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- active, needs-auth, stopped
    reason TEXT NOT NULL,
    account_id TEXT NOT NULL,         -- '' until the first check
    account_title TEXT NOT NULL,
    clock_offset_ms INTEGER NOT NULL, -- the CRM's clock minus ours
    changed_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id) -- so that nothing can point to another tenant's connection
) STRICT;

-- Tokens, sealed before they come here; the key is never in the store.
CREATE TABLE secret (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    blob BLOB NOT NULL,
    generation INTEGER NOT NULL, -- rises with each put
    PRIMARY KEY (tenant_id, connection_id, name),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- One kind of one connection: cursors, schedule and lease.
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    first_import_done INTEGER NOT NULL, -- 0 or 1
    cursor_all TEXT NOT NULL,           -- '' = no complete listing is under way
    cursor_changed TEXT NOT NULL,
    cursor_deleted TEXT NOT NULL,
    scan INTEGER NOT NULL,              -- number of the running or last complete listing
    scan_listed INTEGER NOT NULL,
    scanned_ms INTEGER NOT NULL,
    mapping_version TEXT NOT NULL,
    next_run_at_ms INTEGER NOT NULL,
    failures_in_row INTEGER NOT NULL,
    note TEXT NOT NULL,
    epoch INTEGER NOT NULL,             -- fencing: rises with each claim; a save with an older one is refused
    lease_owner TEXT NOT NULL,          -- '' = free
    lease_until_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, connection_id, kind),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;

-- The source of truth.
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    uuid TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,     -- from 1; rises with each change of fields or state
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- live, deleted, merged
    merged_into INTEGER NOT NULL, -- record id of the survivor; 0 unless merged
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (tenant_id, uuid)
) STRICT;
-- Listings by kind, in the order of id, without touching the documents.
CREATE INDEX record_of_kind ON record (tenant_id, kind, state);

-- Under which keys a live record is recognised; several records may share one.
CREATE TABLE match_key (
    tenant_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    rule INTEGER NOT NULL, -- index of the rule in the kind's file
    key TEXT NOT NULL,
    record_id INTEGER NOT NULL REFERENCES record (id),
    PRIMARY KEY (tenant_id, kind, rule, key, record_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_key_of_record ON match_key (tenant_id, record_id);

-- A record and one remote object that are the same thing.
CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    record_id INTEGER NOT NULL REFERENCES record (id),
    remote_id TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- live, gone, unlinked, merged
    remote_modified_ms INTEGER NOT NULL,
    synced_version INTEGER NOT NULL, -- smaller than the record's version = to push
    record_version INTEGER NOT NULL, -- the record's version, kept equal by every write of either: a listing of what to
                                     -- push must not read every pair
    last_write_ms INTEGER NOT NULL,
    gone_since_ms INTEGER NOT NULL,  -- 0 unless gone
    scan INTEGER NOT NULL,           -- the last complete listing that showed it
    retry_at_ms INTEGER NOT NULL,
    digest BLOB,                     -- of the remote half; NULL = none, the next read is looked at closely
    base TEXT NOT NULL,              -- what both sides held at the last agreement
    UNIQUE (tenant_id, connection_id, kind, remote_id),
    UNIQUE (tenant_id, record_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;
-- Listings of a stream by state, in the order of id.
CREATE INDEX link_of_stream ON link (tenant_id, connection_id, kind, state);
-- Nearly empty whenever the two sides agree.
CREATE INDEX link_to_push ON link (tenant_id, connection_id, kind, state)
    WHERE state = 0 AND synced_version < record_version;

-- Remote objects that were merged into another one.
CREATE TABLE alias (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_remote_id TEXT NOT NULL,
    into_remote_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, from_remote_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Remote objects that were deleted on purpose and must not come back. Kept for ever, so only as a digest of the id.
CREATE TABLE tombstone (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    record_id INTEGER NOT NULL, -- may be erased meanwhile
    buried_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, digest),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A remote object points to a remote object that has no link yet. Found by its target when that is linked.
CREATE TABLE wait_inward (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    target_kind TEXT NOT NULL,
    target_remote_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    waiter_remote_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, target_kind, target_remote_id, kind, waiter_remote_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A record points to a record that has no link on the connection yet.
CREATE TABLE wait_outward (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    target_record_id INTEGER NOT NULL REFERENCES record (id),
    kind TEXT NOT NULL, -- of the waiting record
    waiter_record_id INTEGER NOT NULL REFERENCES record (id),
    PRIMARY KEY (tenant_id, connection_id, target_record_id, waiter_record_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Remote objects that must be read by id.
CREATE TABLE dirty (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    generation INTEGER NOT NULL, -- rises when it is marked again, so that a mark set during a read survives it
    PRIMARY KEY (tenant_id, connection_id, kind, remote_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Webhook events: hints that an object changed, kept a while after their triage so that a repeat is recognised.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    event_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    is_done INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, connection_id, event_key),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;
CREATE INDEX inbox_by_progress ON inbox (tenant_id, is_done, received_ms);

-- Outbound writes, claimed before they are sent. A row that is still here after a crash has an unknown outcome.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    op INTEGER NOT NULL CHECK (op BETWEEN 0 AND 2),       -- create, update, delete
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 1), -- claimed, unknown
    record_id INTEGER NOT NULL REFERENCES record (id),
    link_id INTEGER NOT NULL,                             -- 0 for a create
    record_version INTEGER NOT NULL,                      -- the request was computed from this one
    claimed_ms INTEGER NOT NULL,
    settle_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    sent TEXT NOT NULL,                                   -- the fields in the request
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;
CREATE INDEX intent_of_stream ON intent (tenant_id, connection_id, kind);
CREATE INDEX intent_of_link ON intent (tenant_id, link_id);
CREATE INDEX intent_of_record ON intent (tenant_id, record_id, connection_id);

-- History of every field change; append-only.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    record_id INTEGER NOT NULL REFERENCES record (id),
    record_version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    run_id INTEGER NOT NULL,        -- 0 = none
    connection_id INTEGER NOT NULL, -- 0 = local
    remote_id TEXT NOT NULL,
    cause INTEGER NOT NULL CHECK (cause BETWEEN 0 AND 7), -- import, pull, local, conflict, merge, delete, restore, push
    -- A new record's fields share one rule and one time: then these three say them once, and changes is field → value.
    -- Otherwise rule is '' and changes is an array with one object for each change.
    rule TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    time_is_exact INTEGER NOT NULL,
    changes TEXT NOT NULL
) STRICT;
CREATE INDEX journal_of_record ON journal (tenant_id, record_id);

-- A field (or a delete against an edit) on which both sides moved, waiting for a person or decided by one.
CREATE TABLE conflict (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 1),   -- field, delete
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- open, resolved, closed
    record_id INTEGER NOT NULL REFERENCES record (id),
    link_id INTEGER NOT NULL REFERENCES link (id),
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,      -- '' for a delete
    version INTEGER NOT NULL, -- rises when a candidate changes
    hub_changed_ms INTEGER NOT NULL,
    remote_changed_ms INTEGER NOT NULL,
    resolution TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    candidates TEXT NOT NULL, -- "base", "hub", "remote" → value; a missing member = absent
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;
-- At most one open conflict for each field of a link.
CREATE UNIQUE INDEX conflict_open ON conflict (tenant_id, link_id, field) WHERE state = 0;

-- A record, or one field of it, that could not be handled.
CREATE TABLE failure (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,         -- '' when only the record is known
    record_id INTEGER NOT NULL,      -- 0 when only the remote object is known
    field TEXT NOT NULL,             -- '' = the whole record is held
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 1), -- open, discarded
    attempts INTEGER NOT NULL,
    record_version INTEGER NOT NULL, -- 0 = not known
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    retry_at_ms INTEGER NOT NULL,
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT;
-- What a failure is about: the remote object when it is known, else the record.
CREATE UNIQUE INDEX failure_key ON failure
    (tenant_id, connection_id, kind, remote_id, (CASE WHEN remote_id = '' THEN record_id ELSE 0 END), field);
CREATE INDEX failure_of_record ON failure (tenant_id, record_id, connection_id);
CREATE INDEX failure_of_tenant ON failure (tenant_id, state);

-- What a command did.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    command TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- active, done, failed, interrupted
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    message TEXT NOT NULL,
    counts TEXT NOT NULL -- counter → number; a missing one is 0
) STRICT;
CREATE INDEX run_of_tenant ON run (tenant_id);
