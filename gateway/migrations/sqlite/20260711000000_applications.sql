-- Applications are managed by callers too: they have versions, and a secret that is replaced goes on for a while.
ALTER TABLE applications ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE applications ADD COLUMN previous_secret_hash BLOB;
ALTER TABLE applications ADD COLUMN previous_secret_expires_at BIGINT;
CREATE INDEX applications_by_age ON applications (created_at, client_id);
CREATE INDEX applications_by_fallback ON applications (fallback_connection);

-- Whose address it is that a browser wants to go to after a sign-out.
CREATE TABLE post_logout_redirect_uris (
    uri TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES applications (client_id) ON DELETE CASCADE,
    PRIMARY KEY (uri, client_id)
);
CREATE INDEX post_logout_redirect_uris_by_application ON post_logout_redirect_uris (client_id);
INSERT OR IGNORE INTO post_logout_redirect_uris (uri, client_id)
    SELECT entry.value, applications.client_id FROM applications, json_each(applications.post_logout_redirect_uris) AS entry;
