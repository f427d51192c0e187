-- When each key that wraps others began to, as this database knows it: the master key ('') and those
-- that projects name. Another key, or a new version of one, wraps with another prefix, and is young again.
CREATE TABLE wrapping_keys (
  name text PRIMARY KEY,
  prefix text NOT NULL,
  since bigint NOT NULL,
  -- Once told that it is due for rotation. Of the master key: counters.key_warned_at.
  warned_at bigint
);

ALTER TABLE settings ADD COLUMN created_at bigint;
ALTER TABLE settings ADD COLUMN warned_at bigint;
UPDATE settings SET created_at = coalesce(
  (SELECT extract(epoch FROM max(at)) * 1000 FROM audit WHERE kind = 'SealingKey'),
  extract(epoch FROM now()) * 1000
)::bigint WHERE key LIKE 'sealing-key-%';
