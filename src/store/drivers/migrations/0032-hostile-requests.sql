-- What a login that is under way needs is in its signed state: nothing is stored for whoever only begins
-- one. A state that has led to a login is kept until it is too old, so that it does so once.
DELETE FROM logins;
ALTER TABLE logins DROP COLUMN redirect_uri, DROP COLUMN client_state, DROP COLUMN challenge;

-- Finds when a namespace was made, for who asks for what it was before.
CREATE INDEX changes_namespaces ON changes (name) WHERE kind = 'Namespace';
