-- Reconciliation: what a complete comparison of a stream's two sides found, and how far the running one is.

-- The running comparison of a stream; the row goes when it is through.
CREATE TABLE reconcile (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    is_repair INTEGER NOT NULL,
    version TEXT NOT NULL,  -- mapping under which it was begun
    cursor TEXT NOT NULL,   -- position in the listing
    listed INTEGER NOT NULL,
    is_listed INTEGER NOT NULL, -- the listing is through
    PRIMARY KEY (tenant_id, connection_id, kind),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Links that the running comparison has seen at the CRM: bit n of chunk c is link c * 8192 + n.
CREATE TABLE reconcile_seen (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, chunk),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Objects that have to be read by id before the running comparison can say anything about them.
CREATE TABLE reconcile_suspect (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, remote_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The result of the last complete comparison.
CREATE TABLE divergence (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    is_repair INTEGER NOT NULL,
    listed INTEGER NOT NULL,        -- objects there
    pairs INTEGER NOT NULL,         -- live links
    pairs_read INTEGER NOT NULL,    -- of them in buckets that had changed since they were last found in agreement
    fields INTEGER NOT NULL,        -- of the pairs, that the mapping carries
    differences INTEGER NOT NULL,
    explained INTEGER NOT NULL,     -- of them: something that is known holds them
    marked INTEGER NOT NULL,        -- of them: to be looked at by the next sync
    fields_differ INTEGER NOT NULL,
    oldest_ms INTEGER NOT NULL,     -- since when the oldest difference stands; 0 none or not known
    PRIMARY KEY (tenant_id, connection_id, kind),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- What differs, of the last complete comparison and of the running one (by began_ms). Never a value.
CREATE TABLE difference (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    began_ms INTEGER NOT NULL,      -- of the comparison
    what INTEGER NOT NULL CHECK (what BETWEEN 0 AND 8),
    remote_id TEXT NOT NULL,        -- '' = no object there
    record_id INTEGER NOT NULL,     -- 0 = no record here
    bucket INTEGER NOT NULL,
    fields TEXT NOT NULL,           -- names, with commas
    fields_count INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,      -- 0 = not known
    reason TEXT NOT NULL,           -- what holds it; '' = nothing that is known
    is_marked INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, kind, began_ms, what, remote_id, record_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX difference_of_record ON difference (tenant_id, record_id);

-- The pairs of a stream in 1,024 buckets by remote id. While a bucket's digest stays, its pairs need not be looked at one by one.
CREATE TABLE bucket (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    pairs INTEGER NOT NULL,
    digest BLOB NOT NULL,    -- of all that is kept of these pairs, and of the mapping's version
    agreed_ms INTEGER NOT NULL, -- when they were last found in agreement
    PRIMARY KEY (tenant_id, connection_id, kind, bucket),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;
