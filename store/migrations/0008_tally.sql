-- What was synced by the hour, and when a stream was last up to date: for metrics and alerts.

-- Of each stream and hour (UTC); kept for some days. Only hours in which something happened have a row.
CREATE TABLE tally (
    tenant_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,       -- since 1970
    connection_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    synced INTEGER NOT NULL,     -- records that went across, either way
    set_aside INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,  -- opened
    throttled INTEGER NOT NULL,  -- calls that the CRM refused for their number
    delays INTEGER NOT NULL,     -- changes whose way across was measured
    delay_ms INTEGER NOT NULL,   -- of them together: from the change on one side to its arrival on the other
    PRIMARY KEY (tenant_id, hour, connection_id, kind),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- When the listing of changes last reached its end; 0 never.
ALTER TABLE stream ADD COLUMN pulled_ms INTEGER NOT NULL DEFAULT 0;
