-- Grows with each change of what a connection is linked to, for whoever decides on it meanwhile.
ALTER TABLE connections ADD COLUMN links BIGINT NOT NULL DEFAULT 0;
