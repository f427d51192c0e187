ALTER TABLE audit
  ADD COLUMN actor_id text,
  ADD COLUMN address text,
  ADD COLUMN request_id text,
  ADD COLUMN result text NOT NULL DEFAULT 'success' CHECK (result IN ('success', 'denied')),
  -- Place in the chain; NULL until the linker has come by. All that follows is the linker's.
  ADD COLUMN seq bigint,
  -- What names a person is hashed with a salt of its own; erasing drops the salt and keeps the digest.
  ADD COLUMN actor_salt text,
  ADD COLUMN actor_digest text,
  ADD COLUMN subject_salt text,
  ADD COLUMN subject_digest text,
  ADD COLUMN hash text,
  -- Of the controller, over seq and hash: on the last row that one round linked.
  ADD COLUMN signature text;

CREATE UNIQUE INDEX audit_seq ON audit (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_unlinked ON audit (id) WHERE seq IS NULL;
CREATE INDEX audit_reveals ON audit (actor) WHERE action = 'reveal';
CREATE INDEX audit_at ON audit USING brin (at);
DROP INDEX audit_object;
CREATE INDEX audit_object ON audit (namespace, kind, name);

-- One row, locked by whoever links, prunes or erases. `start` is what pruning has left behind.
CREATE TABLE audit_chain (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  start_seq bigint NOT NULL,
  start_hash text NOT NULL,
  start_signature text,
  head_seq bigint NOT NULL,
  head_hash text NOT NULL,
  head_signature text
);
INSERT INTO audit_chain (start_seq, start_hash, head_seq, head_hash) VALUES (0, '', 0, '');

-- What is known of tokens that open nothing any more, so that an attempt with one can be named.
CREATE TABLE revoked_tokens (
  hash text PRIMARY KEY,
  id uuid NOT NULL,
  user_id uuid,
  name text NOT NULL,
  revoked_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION remember_revoked_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO revoked_tokens (hash, id, user_id, name) VALUES (old.hash, old.id, old.user_id, old.name)
  ON CONFLICT DO NOTHING;
  RETURN old;
END $$;
CREATE TRIGGER remember_revoked_token AFTER DELETE ON tokens FOR EACH ROW EXECUTE FUNCTION remember_revoked_token();
