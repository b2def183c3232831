-- Sign-ins that wait for their answer: one for each connection, a new one takes its place. The state is never kept, only its SHA-256.
CREATE TABLE sign_in (
    tenant_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    state_hash BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,  -- as it was promised to the CRM
    begun_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, connection_id),
    UNIQUE (tenant_id, state_hash),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) STRICT, WITHOUT ROWID;
