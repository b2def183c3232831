-- Erasing people: the ledger of what was ordered, and what must not come back by itself.

CREATE TABLE erasure (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    kind TEXT NOT NULL,
    record_uuid TEXT NOT NULL,
    at_crms INTEGER NOT NULL,                             -- 1: the objects there as well
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- open, done, lifted
    asked_ms INTEGER NOT NULL,
    done_ms INTEGER NOT NULL,
    refused INTEGER NOT NULL                              -- objects and imports that were kept out since
) STRICT;
CREATE INDEX erasure_of_tenant ON erasure (tenant_id, state);

-- Keys and remote ids of erased people, as HMAC-SHA256 with the key below: nothing can be read back from them but by trying.
CREATE TABLE suppression (
    tenant_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    erasure_id INTEGER NOT NULL REFERENCES erasure (id),
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppression_of_erasure ON suppression (erasure_id);

CREATE TABLE suppression_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL
) STRICT;
INSERT INTO suppression_key (id, key) VALUES (1, randomblob(32));
