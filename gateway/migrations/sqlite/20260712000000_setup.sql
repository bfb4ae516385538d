-- One link at a time per connection: a newer one takes its place, and ends the sessions that the older one opened.
CREATE TABLE setup_links (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- The last test login of a connection, and the revision at which one passed.
CREATE TABLE setup_tests (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    passed BOOLEAN NOT NULL,
    tested_at BIGINT NOT NULL,
    -- Who it was and what would have come of it, for the setup session that asked; removed with that session's link.
    findings TEXT,
    passed_version BIGINT,
    passed_metadata BLOB
);
