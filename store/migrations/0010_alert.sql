-- Alerts: how each rule stands, so that a restart neither forgets nor repeats what people were told. Of the whole service, not of a tenant.
CREATE TABLE alert (
    name TEXT PRIMARY KEY,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- quiet, pending, firing
    since_ms INTEGER NOT NULL,     -- of the state
    quiet_since_ms INTEGER NOT NULL, -- while firing: its condition has not held since; 0 = it holds
    told_ms INTEGER NOT NULL,      -- when people were last told that it fires; 0 = not
    to_tell INTEGER NOT NULL CHECK (to_tell BETWEEN 0 AND 2), -- nothing, that it fires, that it is over
    attempts INTEGER NOT NULL,     -- to tell that
    told TEXT NOT NULL,            -- channels that know it, with commas
    number INTEGER NOT NULL,       -- of the news; rises
    detail TEXT NOT NULL           -- the series and value that it fired for
) STRICT;
