-- Credentials of rotations that are under way: the new one (`role` new), and what outputs held before (old). Sealed under
-- the data key of their project, each for its rotation, attempt, role and output.
CREATE TABLE staged_values (
  rotation_uid uuid NOT NULL,
  attempt int NOT NULL,
  role text NOT NULL CHECK (role IN ('new', 'old')),
  output text NOT NULL,
  -- Of the credential; NULL where the rotator has none.
  slot text,
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  data_key_id uuid NOT NULL,
  sealed text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (rotation_uid, attempt, role, output)
);
CREATE INDEX staged_values_data_key ON staged_values (data_key_id);

-- A version whose credential was ended outside: nothing accepts it any more.
ALTER TABLE secret_versions ADD COLUMN revoked_at bigint;

-- All that is sealed under a data key.
CREATE VIEW sealed_rows AS
SELECT data_key_id, project_uid FROM secret_versions
UNION ALL SELECT data_key_id, project_uid FROM staged_values;
