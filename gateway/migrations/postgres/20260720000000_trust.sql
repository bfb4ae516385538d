-- Revisions tell what they changed, and one that a person rolled back from is not taken over again by itself.
ALTER TABLE metadata_revisions ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE metadata_revisions DROP CONSTRAINT metadata_revisions_source_check;
ALTER TABLE metadata_revisions ADD CONSTRAINT metadata_revisions_source_check CHECK (source IN ('url', 'xml', 'certificates'));
ALTER TABLE metadata_revisions DROP CONSTRAINT metadata_revisions_state_check;
ALTER TABLE metadata_revisions ADD CONSTRAINT metadata_revisions_state_check
    CHECK (state IN ('live', 'held', 'superseded', 'rejected'));

-- When an identity provider's metadata is read next, and how the last attempts ended. Whoever reads it holds the claim.
CREATE TABLE metadata_refreshes (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    next_refresh_at BIGINT,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    checked_at BIGINT,
    attempted_at BIGINT,
    etag TEXT COLLATE "C",
    failures BIGINT NOT NULL DEFAULT 0,
    failure_code TEXT COLLATE "C"
);
CREATE INDEX metadata_refreshes_due ON metadata_refreshes (next_refresh_at) WHERE next_refresh_at IS NOT NULL;
INSERT INTO metadata_refreshes (connection_id, next_refresh_at, checked_at)
    SELECT connection_id, CASE WHEN source = 'url' THEN fetched_at END, fetched_at FROM metadata_revisions WHERE state = 'live';

-- Keys beside the live document: trusted until then (or until the held revision is decided), or revoked. `key_id` is of
-- the key and not of its certificate.
CREATE TABLE metadata_keys (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('trusted', 'revoked')),
    certificate BYTEA NOT NULL,
    until_at BIGINT,
    PRIMARY KEY (connection_id, key_id, state)
);
