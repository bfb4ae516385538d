-- Users and organizations have a version, which is their entity tag. `provided_id` is the operator's own name for a user.
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN provided_id TEXT;
CREATE UNIQUE INDEX users_provided_id ON users (provided_id) WHERE provided_id IS NOT NULL;
ALTER TABLE organizations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The identity whose profile a user's follows, where an operator chose one.
ALTER TABLE identities ADD COLUMN is_primary BOOLEAN NOT NULL DEFAULT FALSE;

-- Addresses are found whatever their case, and lists are read along an index.
DROP INDEX users_by_email;
CREATE INDEX users_by_email ON users (lower(email), created_at, id);
CREATE INDEX memberships_by_age ON memberships (organization_code, created_at, user_id);
