-- The sweep finds what has expired without walking through what has not.
CREATE INDEX marks_by_expiry ON marks (expires_at);
