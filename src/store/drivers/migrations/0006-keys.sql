-- A data key that is retired seals nothing any more: its rows are sealed anew, and then it goes.
ALTER TABLE data_keys ADD COLUMN retired_at bigint;
-- Once told that it is due for rotation.
ALTER TABLE data_keys ADD COLUMN warned_at bigint;
UPDATE data_keys k SET retired_at = k.created_at WHERE EXISTS (
  SELECT 1 FROM data_keys n WHERE n.project_uid = k.project_uid AND (n.created_at, k.id) > (k.created_at, n.id)
);
CREATE UNIQUE INDEX data_keys_current ON data_keys (project_uid) WHERE retired_at IS NULL;
CREATE INDEX data_keys_retired ON data_keys (project_uid) WHERE retired_at IS NOT NULL;
CREATE INDEX secret_versions_data_key ON secret_versions (data_key_id);

-- When the master key became the one that wraps, and whether its age was told.
ALTER TABLE counters ADD COLUMN key_since bigint;
ALTER TABLE counters ADD COLUMN key_warned_at bigint;
-- What was restored here, until the audit log says so.
ALTER TABLE counters ADD COLUMN restored json;

-- Rotations: `data` seals values anew under new data keys, `master` wraps every key anew under the
-- master key of now. What is left is read from the data, so that a job can be cut off anywhere.
CREATE TABLE key_rotations (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('data', 'master')),
  -- Of `data`: one project; NULL for all.
  project_uid uuid,
  -- Of `master`: prefix of what is wrapped from now on.
  target text,
  state text NOT NULL CHECK (state IN ('Running', 'Succeeded', 'Failed')),
  done bigint NOT NULL DEFAULT 0,
  started_at bigint NOT NULL,
  started_by text NOT NULL,
  updated_at bigint NOT NULL,
  finished_at bigint,
  -- Why it waits or failed. Never a key.
  message text NOT NULL DEFAULT '',
  -- The controller that works on it; another may when the lease has run out.
  runner text,
  lease_until bigint NOT NULL DEFAULT 0
);
CREATE INDEX key_rotations_running ON key_rotations (started_at) WHERE state = 'Running';
