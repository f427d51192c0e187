-- Of a value that is a template: what it refers to, in order. NULL: the value is what it is.
ALTER TABLE secret_versions ADD COLUMN refs json;
CREATE INDEX secret_versions_referring ON secret_versions (project_uid) WHERE to_revision IS NULL AND refs IS NOT NULL;
