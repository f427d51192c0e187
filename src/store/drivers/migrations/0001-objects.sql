-- One row. Locked first by every write transaction, so that resourceVersion order is commit order.
CREATE TABLE counters (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  rv bigint NOT NULL,
  -- Rises when a backup is restored: order everywhere is (epoch, revision).
  epoch bigint NOT NULL,
  -- Changes up to here are no longer kept.
  compacted_rv bigint NOT NULL,
  -- The key that wraps all others.
  key_provider text,
  key_provider_key_id text
);
INSERT INTO counters (rv, epoch, compacted_rv) VALUES (1, 1, 1);

CREATE TABLE objects (
  uid uuid PRIMARY KEY,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  rv bigint NOT NULL,
  source text NOT NULL,
  body json NOT NULL,
  UNIQUE (kind, namespace, name)
);
CREATE INDEX objects_namespace ON objects (namespace);
CREATE UNIQUE INDEX objects_secret_identity ON objects (
  namespace,
  (body #>> '{spec,projectRef,name}'),
  (body #>> '{spec,key}'),
  (body #>> '{spec,scope}'),
  (coalesce(body #>> '{spec,stageletRef,name}', ''))
) WHERE kind = 'StagelySecret';
CREATE INDEX objects_stagelet_project ON objects (namespace, (body #>> '{spec,projectRef,name}')) WHERE kind = 'Stagelet';
CREATE UNIQUE INDEX objects_stagelet_compose_project ON objects (
  namespace,
  (body #>> '{spec,agentRef,name}'),
  (body #>> '{spec,compose,projectName}')
) WHERE kind = 'Stagelet' AND body #>> '{spec,compose,projectName}' IS NOT NULL;
CREATE UNIQUE INDEX objects_stagelet_directory ON objects (
  namespace,
  (body #>> '{spec,agentRef,name}'),
  (body #>> '{spec,compose,directory}')
) WHERE kind = 'Stagelet' AND body #>> '{spec,compose,projectName}' IS NULL;
CREATE INDEX objects_event_regarding ON objects ((body #>> '{spec,involvedObject,uid}')) WHERE kind = 'Event';

CREATE TABLE changes (
  rv bigint PRIMARY KEY,
  type text NOT NULL CHECK (type IN ('ADDED', 'MODIFIED', 'DELETED')),
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  body json NOT NULL,
  previous_labels json,
  created_at bigint NOT NULL
);
CREATE INDEX changes_created_at ON changes (created_at);

-- What a Project object does not show: keys and the state of its secret set. Times in ms.
CREATE TABLE projects (
  uid uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  digest_key text NOT NULL,
  -- Newest closed revision; new versions get revision + 1.
  revision bigint NOT NULL,
  opened_at bigint,
  last_write_at bigint,
  -- Change sets that hold the revision open: {"id": until}.
  change_sets json NOT NULL DEFAULT '{}',
  head_mac text NOT NULL
);
CREATE INDEX projects_open ON projects (opened_at) WHERE opened_at IS NOT NULL;

CREATE TABLE data_keys (
  id uuid PRIMARY KEY,
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  provider text NOT NULL,
  provider_key_id text NOT NULL,
  wrapped text NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX data_keys_project ON data_keys (project_uid);

-- A version is in the sets of the revisions [from_revision, to_revision).
CREATE TABLE secret_versions (
  secret_uid uuid NOT NULL,
  version int NOT NULL,
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  from_revision bigint NOT NULL,
  to_revision bigint,
  name text NOT NULL,
  key text NOT NULL,
  scope text NOT NULL,
  stagelet text,
  type text NOT NULL CHECK (type IN ('env', 'file')),
  file json,
  sealed text NOT NULL,
  data_key_id uuid NOT NULL,
  value_digest text NOT NULL,
  bytes int NOT NULL,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  PRIMARY KEY (secret_uid, version)
);
CREATE INDEX secret_versions_set ON secret_versions (project_uid, from_revision);
CREATE UNIQUE INDEX secret_versions_head ON secret_versions (secret_uid) WHERE to_revision IS NULL;
CREATE INDEX secret_versions_head_set ON secret_versions (project_uid) WHERE to_revision IS NULL;

CREATE TABLE revisions (
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  revision bigint NOT NULL,
  closed_at bigint NOT NULL,
  mac text NOT NULL,
  PRIMARY KEY (project_uid, revision)
);

CREATE TABLE audit (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  source text NOT NULL,
  action text NOT NULL,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  detail json
);
CREATE INDEX audit_object ON audit (kind, namespace, name);
-- A delivery is audited once for each (project, revision, stagelet, agent).
CREATE UNIQUE INDEX audit_delivery ON audit (
  namespace, name, (detail ->> 'project'), (detail ->> 'revision'), (detail ->> 'epoch'), (detail ->> 'agent')
) WHERE action = 'deliver';

CREATE TABLE join_tokens (
  id text PRIMARY KEY,
  secret_hash text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  expires_at bigint NOT NULL,
  -- Keys that used it: the same agent may ask again when it lost the answer.
  used_by text,
  created_at bigint NOT NULL
);

-- Public halves only: nothing here can impersonate an agent.
CREATE TABLE agent_keys (
  agent_uid uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  ed25519 text NOT NULL,
  x25519 text NOT NULL,
  joined_at bigint NOT NULL,
  UNIQUE (namespace, name)
);

CREATE TABLE tokens (
  hash text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  role text NOT NULL,
  namespaces json,
  expires_at bigint,
  created_at bigint NOT NULL
);

CREATE TABLE settings (
  key text PRIMARY KEY,
  sealed text NOT NULL
);

-- The secrets as one table, for people with SQL. Only a view: objects and secret_versions are the data.
CREATE VIEW secrets AS
SELECT
  o.uid AS id,
  p.uid AS project_id,
  o.body #>> '{spec,key}' AS key,
  v.sealed AS encrypted_value,
  o.body #>> '{spec,scope}' AS scope,
  o.body #>> '{spec,type}' AS secret_type,
  o.body #>> '{spec,file,path}' AS file_path,
  o.body #>> '{spec,file,mode}' AS file_permissions,
  (o.body #>> '{metadata,creationTimestamp}')::timestamptz AS created_at,
  to_timestamp(v.created_at / 1000.0) AS updated_at,
  v.created_by
FROM objects o
LEFT JOIN secret_versions v ON v.secret_uid = o.uid AND v.to_revision IS NULL
LEFT JOIN projects p ON p.namespace = o.namespace AND p.name = o.body #>> '{spec,projectRef,name}'
WHERE o.kind = 'StagelySecret';
