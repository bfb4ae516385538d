-- Revisions tell what they changed, and one that a person rolled back from is not taken over again by itself.
ALTER TABLE metadata_revisions RENAME TO metadata_revisions_before;
DROP INDEX metadata_revisions_by_connection;
DROP INDEX metadata_revisions_live;
CREATE TABLE metadata_revisions (
    id TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('url', 'xml', 'certificates')),
    document TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    fetched_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'held', 'superseded', 'rejected')),
    changes TEXT NOT NULL DEFAULT '[]'
);
INSERT INTO metadata_revisions (id, connection_id, source, document, sha256, fetched_at, state)
    SELECT id, connection_id, source, document, sha256, fetched_at, state FROM metadata_revisions_before;
DROP TABLE metadata_revisions_before;
CREATE INDEX metadata_revisions_by_connection ON metadata_revisions (connection_id, fetched_at);
CREATE UNIQUE INDEX metadata_revisions_live ON metadata_revisions (connection_id) WHERE state = 'live';

-- When an identity provider's metadata is read next, and how the last attempts ended. Whoever reads it holds the claim.
CREATE TABLE metadata_refreshes (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    next_refresh_at BIGINT,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    checked_at BIGINT,
    attempted_at BIGINT,
    etag TEXT,
    failures BIGINT NOT NULL DEFAULT 0,
    failure_code TEXT
);
CREATE INDEX metadata_refreshes_due ON metadata_refreshes (next_refresh_at) WHERE next_refresh_at IS NOT NULL;
INSERT INTO metadata_refreshes (connection_id, next_refresh_at, checked_at)
    SELECT connection_id, CASE WHEN source = 'url' THEN fetched_at END, fetched_at FROM metadata_revisions WHERE state = 'live';

-- Keys beside the live document: trusted until then (or until the held revision is decided), or revoked. `key_id` is of
-- the key and not of its certificate.
CREATE TABLE metadata_keys (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key_id BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('trusted', 'revoked')),
    certificate BLOB NOT NULL,
    until_at BIGINT,
    PRIMARY KEY (connection_id, key_id, state)
) WITHOUT ROWID;
