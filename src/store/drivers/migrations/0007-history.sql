-- Deleted secrets in their grace time: the object as it was. Its versions stay in secret_versions,
-- sealed; the grace time ends with the compaction, a project's with the project.
CREATE TABLE deleted_secrets (
  secret_uid uuid PRIMARY KEY,
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  namespace text NOT NULL,
  name text NOT NULL,
  body json NOT NULL,
  deleted_at bigint NOT NULL,
  deleted_by text NOT NULL
);
CREATE INDEX deleted_secrets_project ON deleted_secrets (project_uid);
