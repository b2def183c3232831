-- What other software is told of: the journal and the notes below are the log, and who listens keeps a place in both. There is no queue of events.

-- What became of conflicts, in order. Holds numbers alone: what a conflict is about stands in its row.
CREATE TABLE conflict_note (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    conflict_id INTEGER NOT NULL,                         -- may be pruned or erased meanwhile
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- opened, resolved, closed
    after_journal INTEGER NOT NULL,                       -- the newest entry of the journal at that moment
    at_ms INTEGER NOT NULL
) STRICT;

-- From which places on each life of the store (lineage.epoch) has written: with its epoch an entry has a name that no other one ever has.
CREATE TABLE lineage_part (
    epoch INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL, -- entries after this one
    conflict INTEGER NOT NULL -- notes after this one
) STRICT;
INSERT INTO lineage_part (epoch, journal, conflict) SELECT epoch, 0, 0 FROM lineage;

-- How far retention went: something at or before these places is gone.
CREATE TABLE feed_gap (
    tenant_id INTEGER PRIMARY KEY REFERENCES tenant (id),
    journal INTEGER NOT NULL,
    conflict INTEGER NOT NULL
) STRICT;

-- Where events are delivered to. Address, secret and filters stand in the configuration file.
CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- active, off, not configured any more
    journal INTEGER NOT NULL,  -- all up to here is delivered, given up, or none of its business
    conflict INTEGER NOT NULL, -- likewise
    refusals INTEGER NOT NULL, -- of the event behind that place
    failures INTEGER NOT NULL, -- in a row, of whatever event
    failing_since_ms INTEGER NOT NULL, -- 0 = the last delivery went well
    next_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    delivered INTEGER NOT NULL, -- counters since it is known
    failed INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
) STRICT;

-- Events that an endpoint did not take, until a person sends them again.
CREATE TABLE dead_event (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    journal INTEGER NOT NULL,  -- the entry, or 0
    conflict INTEGER NOT NULL, -- the note, or 0
    is_to_send INTEGER NOT NULL CHECK (is_to_send BETWEEN 0 AND 1),
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    died_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, endpoint_id, journal, conflict),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES endpoint (tenant_id, id)
) STRICT;
-- Those that a person wants sent once more.
CREATE INDEX dead_event_to_send ON dead_event (tenant_id, endpoint_id) WHERE is_to_send = 1;
