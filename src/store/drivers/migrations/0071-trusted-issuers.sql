-- Tokens that a job got for a token of its own service. Each ends with the TrustedIssuer, as it was then.
-- See docs/adr/0084-identity-in-place-of-tokens.md.
ALTER TABLE tokens ADD COLUMN issuer_uid uuid REFERENCES objects (uid) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN issuer_generation bigint;
ALTER TABLE tokens ADD CHECK ((issuer_uid IS NULL) = (issuer_generation IS NULL));
ALTER TABLE tokens ADD CHECK (issuer_uid IS NULL OR (team_id IS NOT NULL AND narrowing IS NOT NULL AND expires_at IS NOT NULL));
CREATE INDEX tokens_issuer ON tokens (issuer_uid) WHERE issuer_uid IS NOT NULL;

-- Tokens of such services that were exchanged: each counts once, at whatever replica. Kept while they would be taken.
CREATE TABLE exchanged_identities (
  id_hash text PRIMARY KEY,
  expires_at bigint NOT NULL
);
