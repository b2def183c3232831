-- What a person decides about a sync, and what it costs.

-- Where a run's entries stand in the journal: from < id <= to. to 0: not known, look up to the end.
ALTER TABLE run ADD COLUMN journal_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN journal_to INTEGER NOT NULL DEFAULT 0;

-- When a stream's both sides first agreed completely; 0 never. Before that a mass of updates is no surprise.
ALTER TABLE stream ADD COLUMN agreed_ms INTEGER NOT NULL DEFAULT 0;

-- A linked pair that takes no part now: the filter or a person says so. It keeps its base, and goes on from there.
ALTER TABLE link ADD COLUMN is_resting INTEGER NOT NULL DEFAULT 0;

-- A person's word about one record at one connection; without a row the connection's filter decides.
CREATE TABLE selection (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL REFERENCES record (id),
    mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 2), -- include, exclude, pin
    set_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, record_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A mass change that the brake stopped. A confirmation holds for that many and no more, once.
CREATE TABLE brake (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    what INTEGER NOT NULL CHECK (what BETWEEN 0 AND 3), -- deletes, updates, emptied, removals
    count INTEGER NOT NULL,        -- as last seen
    linked INTEGER NOT NULL,       -- of so many linked
    stopped_ms INTEGER NOT NULL,
    confirmed_count INTEGER NOT NULL, -- 0 = not confirmed
    confirmed_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, what),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Calls by day (days since 1970, UTC) and lane.
CREATE TABLE usage (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    lane INTEGER NOT NULL, -- http/limits.h: interactive, realtime, batch, reconcile
    calls INTEGER NOT NULL,
    units INTEGER NOT NULL, -- of the CRM's daily budget
    PRIMARY KEY (tenant_id, connection_id, day, lane),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The type that a mapped property had when it was first used, so that a change of it is noticed.
CREATE TABLE property_seen (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    property TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, property),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The same by run.
CREATE TABLE run_usage (
    tenant_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (id),
    connection_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, run_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;
