-- Which life of the store this is: a backup is of one moment, and a restored one goes on from there.
CREATE TABLE lineage (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,        -- from 1; higher after each restore
    backed_up_ms INTEGER NOT NULL, -- in a store: when its last backup was made; in a backup: of which moment it is
    restored_ms INTEGER NOT NULL   -- 0 never
) STRICT;
INSERT INTO lineage (id, epoch, backed_up_ms, restored_ms) VALUES (1, 1, 0, 0);

-- Streams of a store that was restored from a backup: nothing is written anywhere before all of them have been listed completely.
CREATE TABLE restoring (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- to list, listed, released
    backed_up_ms INTEGER NOT NULL,                        -- the moment that the backup is of
    PRIMARY KEY (tenant_id, connection_id, kind),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Objects that the backup does not know, as records of theirs were made after a restore: two of them at two CRMs may be one thing.
CREATE TABLE restored (
    tenant_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL REFERENCES record (id),
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    is_ours INTEGER NOT NULL, -- crmsync made the object, or may have
    key TEXT NOT NULL,        -- our id on the object, or empty
    title BLOB NOT NULL,      -- digest of what names it
    PRIMARY KEY (tenant_id, record_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX restored_by_title ON restored (tenant_id, kind, title);
CREATE INDEX restored_by_key ON restored (tenant_id, kind, key);
