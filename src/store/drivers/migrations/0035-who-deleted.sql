-- Who took a secret out of the set, in the revision that its last version ends with. Of deletions before
-- nobody is known.
ALTER TABLE secret_versions ADD COLUMN ended_by text;
