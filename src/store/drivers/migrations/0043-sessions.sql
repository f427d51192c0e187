-- A session of a browser is a token of its own kind, so that it ends as tokens do.
ALTER TABLE tokens
  ADD COLUMN is_session boolean NOT NULL DEFAULT false,
  -- The token behind a session, with which the session ends; null: a login at the OpenID provider.
  -- Checked at the commit: a restore loads rows in any order.
  ADD COLUMN parent_id uuid REFERENCES tokens (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  -- Until then the person need not prove again who they are.
  ADD COLUMN confirmed_until bigint,
  ADD COLUMN address text,
  ADD COLUMN browser text,
  ADD CHECK (NOT is_session OR (user_id IS NOT NULL AND expires_at IS NOT NULL));
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;

-- Each code is exchanged once for a session of the token's owner.
CREATE TABLE session_codes (
  code_hash text PRIMARY KEY,
  token_id uuid NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  expires_at bigint NOT NULL
);
