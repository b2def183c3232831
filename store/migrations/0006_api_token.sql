-- Tokens of the HTTP API. The token itself is never kept, only its SHA-256.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    is_for_all INTEGER NOT NULL,  -- opens every tenant; the row stands with the default one
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,     -- to the minute; 0 never
    revoked_ms INTEGER NOT NULL   -- 0 = it is good
) STRICT;
CREATE UNIQUE INDEX api_token_name ON api_token (tenant_id, name) WHERE revoked_ms = 0;
