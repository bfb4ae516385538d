-- Where a key came from: made here, or brought by an operator.
ALTER TABLE keys ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT 'generated';

-- Which of our keys a connection's identity provider last encrypted for.
CREATE TABLE key_uses (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key_id TEXT COLLATE "C" NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, key_id)
);
CREATE INDEX key_uses_by_key ON key_uses (key_id, used_at);

-- Certificates of pairs that a connection had, shown for a while beside the one that took their place.
CREATE TABLE replaced_certificates (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key_id TEXT COLLATE "C" NOT NULL,
    certificate TEXT NOT NULL,
    -- The pair's private key, sealed with purpose replaced_pair and connection and key as context.
    private_key BYTEA NOT NULL,
    replaced_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, key_id)
);
CREATE INDEX replaced_certificates_by_end ON replaced_certificates (expires_at);

-- What was told about an end that comes: once for each end and number of days.
CREATE TABLE expiry_notices (
    subject TEXT COLLATE "C" NOT NULL,
    ends_at BIGINT NOT NULL,
    days BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (subject, ends_at, days)
);
