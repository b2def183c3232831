-- Secrets are sealed with a data key of their tenant; the key that wraps the data keys is never in the store.

-- Data keys, wrapped before they come here.
CREATE TABLE data_key (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,            -- random
    wrapped BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    uses INTEGER NOT NULL,       -- secrets sealed with it so far: a key has a number of uses
    retired_ms INTEGER NOT NULL, -- 0 = new secrets are sealed with it; else it only opens
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX data_key_active ON data_key (tenant_id) WHERE retired_ms = 0;

-- When it was sealed; 0 = before this was kept. A removed secret is a row with an empty blob, so that its generation goes on
-- and nobody who read it before takes a later one for it.
ALTER TABLE secret ADD COLUMN sealed_ms INTEGER NOT NULL DEFAULT 0;
