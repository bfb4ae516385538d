-- Applications are managed by callers too: they have versions, and a secret that is replaced goes on for a while.
ALTER TABLE applications ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE applications ADD COLUMN previous_secret_hash BYTEA;
ALTER TABLE applications ADD COLUMN previous_secret_expires_at BIGINT;
CREATE INDEX applications_by_age ON applications (created_at, client_id);
CREATE INDEX applications_by_fallback ON applications (fallback_connection);

-- Whose address it is that a browser wants to go to after a sign-out.
CREATE TABLE post_logout_redirect_uris (
    uri TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES applications (client_id) ON DELETE CASCADE,
    PRIMARY KEY (uri, client_id)
);
CREATE INDEX post_logout_redirect_uris_by_application ON post_logout_redirect_uris (client_id);
INSERT INTO post_logout_redirect_uris (uri, client_id)
    SELECT DISTINCT entry.value, applications.client_id
    FROM applications, jsonb_array_elements_text(CAST(applications.post_logout_redirect_uris AS JSONB)) AS entry (value);
