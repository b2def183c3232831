-- Who did what, in an order that cannot be changed unseen.

-- Each entry holds the digest of the one before it and of its own content. Never a value of a record: names, numbers, ids.
CREATE TABLE audit (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    number INTEGER NOT NULL, -- from 1, without gaps
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,     -- "user:anna", "token:ci", "crmsync"
    action TEXT NOT NULL,    -- "conflict.resolved"
    subject TEXT NOT NULL,   -- "conflict 12"
    details TEXT NOT NULL,   -- name → text
    previous BLOB NOT NULL,  -- SHA-256 of the entry before; zeros for the first
    digest BLOB NOT NULL,    -- SHA-256 of everything before it in this row
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_of_subject ON audit (tenant_id, action, subject, number);

-- Where the chain ends, so that entries missing at the end are noticed.
CREATE TABLE audit_head (
    tenant_id INTEGER PRIMARY KEY REFERENCES tenant (id),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

-- A slip of the hand is refused; who means it drops these first, and the chain shows it.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
