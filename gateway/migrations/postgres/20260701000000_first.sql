-- Times are milliseconds since the epoch. JSON is TEXT. What is sealed is BYTEA.
-- Names compare octet by octet, as in SQLite, whatever the language of the database is.

CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE applications (
    client_id TEXT COLLATE "C" PRIMARY KEY,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('config', 'api')),
    name TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA,
    redirect_uris TEXT NOT NULL,
    post_logout_redirect_uris TEXT NOT NULL,
    backchannel_logout_uri TEXT,
    initiate_login_uri TEXT,
    fallback_connection TEXT COLLATE "C",
    id_token_signed_response_alg TEXT COLLATE "C" NOT NULL,
    grant_types TEXT NOT NULL,
    scopes TEXT NOT NULL,
    jwks TEXT,
    jwks_uri TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE organizations (
    code TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C",
    handle TEXT COLLATE "C" UNIQUE,
    is_allow_registrations BOOLEAN NOT NULL,
    is_auto_membership_enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX organizations_by_age ON organizations (created_at, code);

CREATE TABLE connections (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    strategy TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'active', 'disabled')),
    organization_code TEXT COLLATE "C" REFERENCES organizations (code),
    options TEXT NOT NULL,
    secrets BYTEA,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX connections_by_age ON connections (created_at, id);
CREATE INDEX connections_by_organization ON connections (organization_code);

-- One domain leads to one connection, whatever that connection's status.
CREATE TABLE connection_domains (
    domain TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE
);
CREATE INDEX connection_domains_by_connection ON connection_domains (connection_id);

CREATE TABLE application_connections (
    client_id TEXT COLLATE "C" NOT NULL REFERENCES applications (client_id) ON DELETE CASCADE,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, connection_id)
);
CREATE INDEX application_connections_by_connection ON application_connections (connection_id);

CREATE TABLE organization_connections (
    organization_code TEXT COLLATE "C" NOT NULL REFERENCES organizations (code) ON DELETE CASCADE,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (organization_code, connection_id)
);
CREATE INDEX organization_connections_by_connection ON organization_connections (connection_id);

CREATE TABLE metadata_revisions (
    id TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('url', 'xml')),
    document TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    fetched_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('live', 'held', 'superseded'))
);
CREATE INDEX metadata_revisions_by_connection ON metadata_revisions (connection_id, fetched_at);
CREATE UNIQUE INDEX metadata_revisions_live ON metadata_revisions (connection_id) WHERE state = 'live';

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C",
    email_verified BOOLEAN NOT NULL,
    given_name TEXT,
    family_name TEXT,
    name TEXT COLLATE "C",
    picture TEXT,
    is_suspended BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX users_by_age ON users (created_at, id);
-- Not unique: an address is never a key.
CREATE INDEX users_by_email ON users (email);

-- An identity that an operator entered beforehand has no issuer until its person first signs in.
CREATE TABLE identities (
    id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    issuer TEXT COLLATE "C",
    subject TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL CHECK (type IN ('enterprise', 'social')),
    created_at BIGINT NOT NULL,
    UNIQUE (connection_id, issuer, subject)
);
CREATE UNIQUE INDEX identities_waiting ON identities (connection_id, subject) WHERE issuer IS NULL;
CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE memberships (
    organization_code TEXT COLLATE "C" NOT NULL REFERENCES organizations (code) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_code, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE login_sessions (
    sid TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    identity_id TEXT COLLATE "C" NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    client_id TEXT COLLATE "C" NOT NULL,
    connection_id TEXT COLLATE "C" NOT NULL,
    organization_code TEXT COLLATE "C",
    upstream_session TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX login_sessions_by_identity ON login_sessions (identity_id);

-- What must not happen twice, kept until it could not happen anyway.
CREATE TABLE marks (
    kind TEXT COLLATE "C" NOT NULL,
    key BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type TEXT COLLATE "C" NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE delivered_at IS NULL;

-- `ring` is the connection's id, or empty for logins that no connection was found for.
CREATE TABLE traces (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference TEXT COLLATE "C" NOT NULL UNIQUE,
    ring TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX traces_by_ring ON traces (ring, id);
CREATE INDEX traces_by_age ON traces (at);

CREATE TABLE keys (
    id TEXT COLLATE "C" PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('tokens', 'saml_signing', 'saml_decryption')),
    algorithm TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C" NOT NULL,
    private_key BYTEA NOT NULL,
    certificate TEXT,
    created_at BIGINT NOT NULL,
    stage_at BIGINT NOT NULL
);
