-- The whole schema as it is made on a first start. A later change is a file of its own beside this one.
-- Columns of type bigint that name a moment (`…_at`, `…_until`, `since`) are in ms.

-- Counters and commits ------------------------------------------------------------------------------------------------

-- One row. Each commit swaps it first, so that the order of resourceVersions is the order of commits.
CREATE TABLE counters (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  -- The newest resourceVersion.
  rv bigint NOT NULL,
  -- Rises when a backup is restored: order everywhere is (epoch, revision).
  epoch bigint NOT NULL,
  -- Changes up to this version are no longer kept.
  compacted_rv bigint NOT NULL,
  -- The key that wraps all others, since when, and whether its age was told.
  key_provider text,
  key_provider_key_id text,
  key_since bigint,
  key_warned_at bigint,
  -- The backup that was restored, until the audit log says so.
  restored json,
  -- The fence: each new leader raises the term. A leader's commit names its term, and is refused in a later one.
  term bigint NOT NULL DEFAULT 0,
  -- The only replica, which reads its state without asking the database, and until when.
  alone uuid,
  alone_until timestamptz,
  -- The newest commit. A replica finds by its id that the database has lost commits.
  tip uuid,
  tip_at bigint,
  -- No commit since this moment was dropped from `commits`.
  commits_from bigint NOT NULL DEFAULT 0
);
INSERT INTO counters (rv, epoch, compacted_rv) VALUES (1, 1, 1);

-- Commits of the last minutes: after a lost answer they tell whether one is there.
CREATE TABLE commits (
  id uuid PRIMARY KEY,
  at bigint NOT NULL
);
CREATE INDEX commits_at ON commits (at);

-- Objects and the log of their changes --------------------------------------------------------------------------------

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

-- Says all that a replica needs to follow a commit.
CREATE TABLE changes (
  rv bigint PRIMARY KEY,
  type text NOT NULL CHECK (type IN ('ADDED', 'MODIFIED', 'DELETED')),
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  body json NOT NULL,
  created_at bigint NOT NULL,
  -- The object before the change, so that a list can go on as it was at an older version; NULL where there was none.
  previous json,
  -- Term of the leader whose loops made the change; NULL for a write of anybody else.
  term bigint,
  uid uuid NOT NULL,
  source text NOT NULL,
  -- What the commit changed of projects: on its last change.
  state json
);
CREATE INDEX changes_created_at ON changes (created_at);
-- Finds when a namespace was made, for whoever asks for the time before.
CREATE INDEX changes_namespaces ON changes (name) WHERE kind = 'Namespace';

-- Names of namespaces that are gone: a value that was sealed for a name alone opens in the first namespace of that name only.
CREATE TABLE former_namespaces (
  name text PRIMARY KEY
);

-- Projects, keys and values -------------------------------------------------------------------------------------------

-- What a Project object does not show: keys and the state of its secret set.
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
  head_mac text NOT NULL,
  -- Name of the key that wraps the keys of the project, as its spec has it; NULL: the master key.
  key_provider text,
  -- From then on nothing more is expected that belongs to the last write: the first rollout of a stack waits until then.
  quiet_at bigint NOT NULL DEFAULT 0,
  -- Why the open revision was written.
  note text
);
CREATE INDEX projects_open ON projects (opened_at) WHERE opened_at IS NOT NULL;
CREATE UNIQUE INDEX projects_place ON projects (namespace, name);

-- A retired data key seals nothing any more: its rows are sealed anew, and then the key is dropped.
CREATE TABLE data_keys (
  id uuid PRIMARY KEY,
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  provider text NOT NULL,
  provider_key_id text NOT NULL,
  wrapped text NOT NULL,
  created_at bigint NOT NULL,
  retired_at bigint,
  -- When it was told that the key is due for rotation.
  warned_at bigint
);
CREATE INDEX data_keys_project ON data_keys (project_uid);
CREATE UNIQUE INDEX data_keys_current ON data_keys (project_uid) WHERE retired_at IS NULL;
CREATE INDEX data_keys_retired ON data_keys (project_uid) WHERE retired_at IS NOT NULL;

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
  -- Of a value that is a template: the keys that it refers to, in order. NULL: the value is no template.
  refs json,
  -- Who took the secret out of the set, in the revision that its last version ends with.
  ended_by text,
  -- When the credential of this version was revoked: nothing accepts it any more.
  revoked_at bigint,
  PRIMARY KEY (secret_uid, version)
);
CREATE INDEX secret_versions_set ON secret_versions (project_uid, from_revision);
CREATE UNIQUE INDEX secret_versions_head ON secret_versions (secret_uid) WHERE to_revision IS NULL;
CREATE INDEX secret_versions_head_set ON secret_versions (project_uid) WHERE to_revision IS NULL;
CREATE INDEX secret_versions_data_key ON secret_versions (data_key_id);
CREATE INDEX secret_versions_referring ON secret_versions (project_uid) WHERE to_revision IS NULL AND refs IS NOT NULL;
-- The end of a version is asked for at each close of a revision and in each list of revisions.
CREATE INDEX secret_versions_ended ON secret_versions (project_uid, to_revision) WHERE to_revision IS NOT NULL;

CREATE TABLE revisions (
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  revision bigint NOT NULL,
  closed_at bigint NOT NULL,
  mac text NOT NULL,
  -- Why the revision was made.
  note text,
  PRIMARY KEY (project_uid, revision)
);

-- Deleted secrets in their grace time: the object as it was. Its versions stay in secret_versions, sealed. The grace time
-- ends with the compaction, that of a whole project with the project.
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

-- Keys of the controller itself, such as the sealing key.
CREATE TABLE settings (
  key text PRIMARY KEY,
  sealed text NOT NULL,
  created_at bigint,
  warned_at bigint
);

-- When each key that wraps others began to, as this database knows it: the master key ('') and those that projects name.
-- Another key, or a new version of one, wraps with another prefix, and is young again.
CREATE TABLE wrapping_keys (
  name text PRIMARY KEY,
  prefix text NOT NULL,
  since bigint NOT NULL,
  -- When it was told that the key is due. Of the master key: counters.key_warned_at.
  warned_at bigint
);

-- Jobs: `data` seals values anew under new data keys, `master` wraps every key anew under the present master key.
-- What is left to do is read from the data, so that a job can be cut off anywhere.
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

-- Controllers ---------------------------------------------------------------------------------------------------------

-- Who leads. A renewal touches this row alone: no commit can keep a leader from it.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  term bigint NOT NULL,
  renewed_at timestamptz NOT NULL
);

-- Controllers on this database, by when each was last heard of.
CREATE TABLE replicas (
  id uuid PRIMARY KEY,
  seen_at timestamptz NOT NULL,
  -- Where the other controllers reach this one, and the certificate that it shows, as PEM. NULL: not said yet.
  url text,
  certificate text
);

-- Answers to creates that came with an Idempotency-Key. Never a secret value: not in the answer, and the request is there
-- only as a keyed digest, which nobody can guess a value from.
CREATE TABLE idempotency_keys (
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  request_mac text NOT NULL,
  -- Which of several requests at once is doing the work.
  claim uuid NOT NULL,
  claimed_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  -- Absent while the work is being done.
  answer json,
  PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_keys_claim ON idempotency_keys (claim);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);

-- Agents --------------------------------------------------------------------------------------------------------------

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
  -- The highest counter of the requests that this key has signed: each of them counts once, at whatever replica. It comes
  -- from the agent's clock, so that what is signed later is higher.
  counter bigint NOT NULL DEFAULT 0,
  UNIQUE (namespace, name)
);

-- The newest stream of each agent, and the replica that holds it; NULL: the stream ended.
CREATE TABLE agent_connections (
  agent_uid uuid PRIMARY KEY,
  connection uuid NOT NULL,
  replica uuid,
  -- Start of the agent's process: reports of an earlier one are replays.
  boot text NOT NULL
);

-- Leak tests of stagelets: names of keys and numbers, never a value or a line of a log.
CREATE TABLE leak_tests (
  id uuid PRIMARY KEY,
  stagelet_uid uuid NOT NULL,
  -- Namespace and name of the agent that was asked.
  agent text NOT NULL,
  tail int NOT NULL,
  started_at bigint NOT NULL,
  -- The last word of the agent; at first, when it was asked.
  heard_at bigint NOT NULL,
  finished_at bigint,
  state text NOT NULL,
  -- Why nothing was counted.
  message text,
  lines bigint NOT NULL DEFAULT 0,
  complete boolean,
  services json
);
CREATE INDEX leak_tests_stagelet ON leak_tests (stagelet_uid, started_at DESC);

-- People --------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  email text,
  display_name text,
  -- May do everything everywhere.
  admin boolean NOT NULL DEFAULT false,
  disabled_at bigint,
  -- Who this is at the OpenID provider, from the first login on.
  oidc_issuer text,
  oidc_subject text,
  created_at bigint NOT NULL,
  last_login_at bigint
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE UNIQUE INDEX users_subject ON users (oidc_issuer, oidc_subject);

-- A team is a Namespace object.
CREATE TABLE team_members (
  -- The uid of the Namespace: who was in a deleted team is not in a new one of its name.
  team_id uuid NOT NULL REFERENCES objects (uid) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'maintainer', 'developer', 'viewer', 'auditor')),
  -- Given by a group of the OpenID provider: such rows follow the groups at each login.
  from_group boolean NOT NULL DEFAULT false,
  created_at bigint NOT NULL,
  PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

-- A personal token belongs to a user, and may do what that user may; a machine's belongs to a team. A session of a browser
-- is a token of its own kind, so that it ends as tokens do.
CREATE TABLE tokens (
  id uuid PRIMARY KEY,
  -- SHA-256 of a token of 32 random bytes.
  hash text NOT NULL UNIQUE,
  name text NOT NULL,
  -- The first letters, by which a person recognises it.
  hint text NOT NULL,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  team_id uuid REFERENCES objects (uid) ON DELETE CASCADE,
  -- Of a machine: its role in the team. Of a person: the most that the token may.
  role text CHECK (role IN ('owner', 'maintainer', 'developer', 'viewer', 'auditor')),
  read_only boolean NOT NULL DEFAULT false,
  -- Only in these teams; NULL: in all of the owner's.
  namespaces json,
  expires_at bigint,
  -- Written once a minute at most.
  last_used_at bigint,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  is_session boolean NOT NULL DEFAULT false,
  -- The token behind a session, with which the session ends; NULL: a login at the OpenID provider.
  -- Checked at the commit: a restore loads rows in any order.
  parent_id uuid REFERENCES tokens (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  -- Until then the person need not prove again who they are.
  confirmed_until bigint,
  address text,
  browser text,
  -- Whether the person was known to be there when the token was made: only such a token confirms a session.
  is_proven boolean NOT NULL DEFAULT false,
  CHECK ((user_id IS NULL) <> (team_id IS NULL)),
  CHECK (team_id IS NULL OR role IS NOT NULL),
  CHECK (NOT is_session OR (user_id IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX tokens_name ON tokens (coalesce(user_id, team_id), name);
CREATE INDEX tokens_team ON tokens (team_id);
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;

-- Tokens that open nothing any more, so that an attempt with one can be named.
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

-- States of logins at the OpenID provider that have led to a login: each does so once. Kept until they are too old.
CREATE TABLE logins (
  state_hash text PRIMARY KEY,
  expires_at bigint NOT NULL
);
-- Logins that are done; each code is exchanged once for a token, by whoever knows the verifier.
CREATE TABLE login_codes (
  code_hash text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  challenge text NOT NULL,
  expires_at bigint NOT NULL,
  is_proven boolean NOT NULL DEFAULT false
);
-- Each code is exchanged once for a session of the token's owner.
CREATE TABLE session_codes (
  code_hash text PRIMARY KEY,
  token_id uuid NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  expires_at bigint NOT NULL
);

-- Audit ---------------------------------------------------------------------------------------------------------------

CREATE TABLE audit (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  source text NOT NULL,
  action text NOT NULL,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  detail json,
  actor_id text,
  address text,
  request_id text,
  result text NOT NULL DEFAULT 'success' CHECK (result IN ('success', 'denied')),
  -- Place in the chain.
  seq bigint NOT NULL,
  -- What names a person is hashed with a salt of its own; erasing drops the salt and keeps the digest.
  actor_salt text,
  actor_digest text NOT NULL,
  subject_salt text,
  subject_digest text,
  hash text NOT NULL,
  -- Of the controller, over seq and hash: on the newest row of each second.
  signature text
);
CREATE UNIQUE INDEX audit_seq ON audit (seq);
CREATE INDEX audit_object ON audit (namespace, kind, name);
CREATE INDEX audit_at ON audit USING brin (at);
CREATE INDEX audit_reveals ON audit (actor) WHERE action = 'reveal';
-- A delivery that is there already is looked for before the row is written.
CREATE INDEX audit_delivery ON audit (namespace, name, (detail ->> 'project'), (detail ->> 'revision'))
  WHERE action = 'deliver';

-- One row, locked by whoever signs, prunes or erases. `start` is where pruning has left off.
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

-- Kept for people -----------------------------------------------------------------------------------------------------

-- Activity: kept for 90 days, and of each stagelet the newest rollouts. A row is one thing that happened to one object
-- (`subject`, `mark`), such as a rollout: what is known later is merged into it.
CREATE TABLE activity (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  subject uuid NOT NULL,
  mark text NOT NULL,
  at bigint NOT NULL,
  kind text NOT NULL,
  namespace text NOT NULL,
  project text,
  stagelet text,
  agent text,
  detail jsonb NOT NULL,
  UNIQUE (subject, mark)
);
CREATE INDEX activity_at ON activity (at, id);
CREATE INDEX activity_namespace ON activity (namespace, at, id);
CREATE INDEX activity_rollouts ON activity (subject, at, id) WHERE kind = 'rollout';

-- What Notifiers have to tell: written by the commit that records the event. Never a value.
CREATE TABLE outbox (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  notifier uuid NOT NULL,
  -- Object, reason and generation: the same is told once a day.
  about text NOT NULL,
  at bigint NOT NULL,
  notice jsonb NOT NULL,
  -- Notices that are told together, under this id.
  batch uuid,
  attempts int NOT NULL DEFAULT 0,
  next_at bigint,
  -- NULL while it is still to be told.
  ended_at bigint
);
CREATE INDEX outbox_about ON outbox (notifier, about, at);
CREATE INDEX outbox_open ON outbox (notifier, batch) WHERE ended_at IS NULL;

-- Views ---------------------------------------------------------------------------------------------------------------

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

-- All that is sealed under a data key.
CREATE VIEW sealed_rows AS
SELECT data_key_id, project_uid FROM secret_versions
UNION ALL SELECT data_key_id, project_uid FROM staged_values;

-- Closed revisions: who made them, and which keys they changed. A secret that is written several times within a revision
-- counts once. `keys` is a union of two reads, so that each has its index.
CREATE VIEW revision_facts AS
SELECT r.project_uid, r.revision, r.closed_at, p.namespace, p.name AS project, jsonb_build_object(
  'revision', r.revision,
  'written', (SELECT count(DISTINCT v.secret_uid) FROM secret_versions v
    WHERE v.project_uid = r.project_uid AND v.from_revision = r.revision),
  'deleted', (SELECT count(*) FROM secret_versions v WHERE v.project_uid = r.project_uid AND v.to_revision = r.revision
    AND NOT EXISTS (SELECT 1 FROM secret_versions n WHERE n.secret_uid = v.secret_uid AND n.from_revision = r.revision)),
  'by', (SELECT coalesce(jsonb_agg(DISTINCT a.author), '[]') FROM (
    SELECT v.created_by AS author FROM secret_versions v
      WHERE v.project_uid = r.project_uid AND v.from_revision = r.revision
    UNION SELECT v.ended_by FROM secret_versions v
      WHERE v.project_uid = r.project_uid AND v.to_revision = r.revision AND v.ended_by IS NOT NULL) a),
  'keys', (SELECT coalesce(jsonb_agg(k.key), '[]') FROM (
    SELECT v.key COLLATE "C" AS key FROM secret_versions v
      WHERE v.project_uid = r.project_uid AND v.from_revision = r.revision
    UNION SELECT v.key COLLATE "C" FROM secret_versions v
      WHERE v.project_uid = r.project_uid AND v.to_revision = r.revision ORDER BY 1 LIMIT 20) k)
) || CASE WHEN r.note IS NULL THEN '{}' ELSE jsonb_build_object('note', r.note) END AS detail
FROM revisions r JOIN projects p ON p.uid = r.project_uid;

-- Commits -------------------------------------------------------------------------------------------------------------

-- Stores what writes changed: `p_objects` in order, since a name, or the place of a secret, may go and come in one commit.
-- One of kind ProjectState only tells other replicas. Row by row: a join with a list is planned as one of a hundred rows,
-- and then reads the whole table. `p_more` are lists by the names in `p_lists`.
CREATE FUNCTION apply_changes(p_objects json, p_more json, p_lists text[], p_leader bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT * FROM json_to_recordset(p_objects) AS c (rv bigint, type text, kind text, namespace text, name text,
    uid uuid, source text, at bigint, body json, state json)
  LOOP
    INSERT INTO changes (rv, type, kind, namespace, name, uid, source, body, created_at, state, term, previous)
    VALUES (r.rv, r.type, r.kind, r.namespace, r.name, r.uid, r.source, r.body, r.at, r.state, p_leader,
      (SELECT o.body FROM objects o WHERE o.uid = r.uid AND o.kind = r.kind));
    IF r.type = 'DELETED' THEN
      DELETE FROM objects o WHERE o.uid = r.uid AND o.kind = r.kind;
    ELSIF r.kind <> 'ProjectState' THEN
      INSERT INTO objects (uid, kind, namespace, name, rv, source, body)
      VALUES (r.uid, r.kind, r.namespace, r.name, r.rv, r.source, r.body)
      ON CONFLICT (uid) DO UPDATE SET rv = excluded.rv, source = excluded.source, body = excluded.body;
    END IF;
  END LOOP;
  IF 'gone' = ANY (p_lists) THEN
    DELETE FROM projects p USING json_array_elements_text(p_more -> 'gone') AS g (uid) WHERE p.uid = g.uid::uuid;
  END IF;
  IF 'projects' = ANY (p_lists) THEN
    INSERT INTO projects (uid, namespace, name, digest_key, key_provider, revision, opened_at, last_write_at,
      change_sets, head_mac, quiet_at)
    SELECT c.* FROM json_to_recordset(p_more -> 'projects') AS c (uid uuid, namespace text, name text,
      digest_key text, key_provider text, revision bigint, opened_at bigint, last_write_at bigint, change_sets json,
      head_mac text, quiet_at bigint)
    ON CONFLICT (uid) DO UPDATE SET digest_key = excluded.digest_key, key_provider = excluded.key_provider,
      revision = excluded.revision, opened_at = excluded.opened_at, last_write_at = excluded.last_write_at,
      change_sets = excluded.change_sets, head_mac = excluded.head_mac, quiet_at = excluded.quiet_at;
  END IF;
  IF 'keys' = ANY (p_lists) THEN
    UPDATE data_keys k SET retired_at = c.created_at
    FROM json_to_recordset(p_more -> 'keys') AS c (project_uid uuid, created_at bigint)
    WHERE k.project_uid = c.project_uid AND k.retired_at IS NULL;
    INSERT INTO data_keys (id, project_uid, provider, provider_key_id, wrapped, created_at)
    SELECT c.* FROM json_to_recordset(p_more -> 'keys') AS c (id uuid, project_uid uuid, provider text,
      provider_key_id text, wrapped text, created_at bigint);
  END IF;
  IF 'ended' = ANY (p_lists) THEN
    FOR r IN SELECT * FROM json_to_recordset(p_more -> 'ended') AS c (secret_uid uuid, to_revision bigint, ended_by text)
    LOOP
      UPDATE secret_versions v SET to_revision = r.to_revision, ended_by = r.ended_by
      WHERE v.secret_uid = r.secret_uid AND v.to_revision IS NULL;
    END LOOP;
  END IF;
  IF 'versions' = ANY (p_lists) THEN
    INSERT INTO secret_versions (secret_uid, version, project_uid, from_revision, to_revision, ended_by, name, key,
      scope, stagelet, type, file, sealed, data_key_id, value_digest, bytes, created_at, created_by, refs)
    SELECT c.* FROM json_to_recordset(p_more -> 'versions') AS c (secret_uid uuid, version int, project_uid uuid,
      from_revision bigint, to_revision bigint, ended_by text, name text, key text, scope text, stagelet text,
      type text, file json, sealed text, data_key_id uuid, value_digest text, bytes int, created_at bigint,
      created_by text, refs json);
  END IF;
  IF 'revisions' = ANY (p_lists) THEN
    INSERT INTO revisions (project_uid, revision, closed_at, mac)
    SELECT c.* FROM json_to_recordset(p_more -> 'revisions') AS c (project_uid uuid, revision bigint,
      closed_at bigint, mac text);
  END IF;
  IF 'buried' = ANY (p_lists) THEN
    INSERT INTO deleted_secrets (secret_uid, project_uid, namespace, name, body, deleted_at, deleted_by)
    SELECT c.* FROM json_to_recordset(p_more -> 'buried') AS c (secret_uid uuid, project_uid uuid, namespace text,
      name text, body json, deleted_at bigint, deleted_by text);
  END IF;
  IF 'former' = ANY (p_lists) THEN
    INSERT INTO former_namespaces (name)
    SELECT g.name FROM json_array_elements_text(p_more -> 'former') AS g (name) ON CONFLICT DO NOTHING;
  END IF;
  IF 'agents' = ANY (p_lists) THEN
    DELETE FROM agent_keys k USING json_to_recordset(p_more -> 'agents') AS c (uid uuid) WHERE k.agent_uid = c.uid;
    DELETE FROM join_tokens t USING json_to_recordset(p_more -> 'agents') AS c (namespace text, name text)
    WHERE t.namespace = c.namespace AND t.name = c.name;
  END IF;
  IF 'audit' = ANY (p_lists) THEN
    INSERT INTO audit (seq, at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result,
      actor_salt, actor_digest, subject_salt, subject_digest, hash)
    SELECT c.* FROM json_to_recordset(p_more -> 'audit') AS c (seq bigint, at timestamptz, kind text, namespace text,
      name text, actor text, source text, actor_id text, address text, request_id text, action text, detail json,
      result text, actor_salt text, actor_digest text, subject_salt text, subject_digest text, hash text);
  END IF;
END $$;

-- Stores what a commit keeps for people: lists of `p_more` that apply_changes() does not know. A rollout of a new revision
-- is by those who made the revision.
CREATE FUNCTION keep_records(p_more json, p_lists text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF 'open_notes' = ANY (p_lists) THEN
    UPDATE projects p SET note = r.note
    FROM json_to_recordset(p_more -> 'open_notes') AS r (uid uuid, note text) WHERE p.uid = r.uid;
  END IF;
  IF 'notes' = ANY (p_lists) THEN
    UPDATE revisions v SET note = r.note
    FROM json_to_recordset(p_more -> 'notes') AS r (project_uid uuid, revision bigint, note text)
    WHERE v.project_uid = r.project_uid AND v.revision = r.revision;
  END IF;
  IF 'revisions' = ANY (p_lists) THEN
    INSERT INTO activity (subject, mark, at, kind, namespace, project, detail)
    SELECT f.project_uid, 'revision ' || f.revision, f.closed_at, 'revision', f.namespace, f.project, f.detail
    FROM json_to_recordset(p_more -> 'revisions') AS r (project_uid uuid, revision bigint)
    JOIN revision_facts f ON f.project_uid = r.project_uid AND f.revision = r.revision
    ON CONFLICT DO NOTHING;
  END IF;
  IF 'happenings' = ANY (p_lists) THEN
    INSERT INTO activity AS a (subject, mark, at, kind, namespace, project, stagelet, agent, detail)
    SELECT r.subject, r.mark, r.at, r.kind, r.namespace, r.project, r.stagelet, r.agent,
      coalesce((SELECT jsonb_build_object('by', v.detail -> 'by') FROM activity v
        WHERE v.subject = r.project_uid AND v.mark = 'revision ' || (r.detail ->> 'revision')), '{}') || r.detail
    FROM json_to_recordset(p_more -> 'happenings') AS r (subject uuid, mark text, at bigint, kind text, namespace text,
      project text, stagelet text, agent text, project_uid uuid, detail jsonb)
    ON CONFLICT (subject, mark) DO UPDATE SET at = excluded.at, detail = a.detail || excluded.detail;
  END IF;
  IF 'forgotten' = ANY (p_lists) THEN
    DELETE FROM activity a USING json_array_elements_text(p_more -> 'forgotten') AS g (uid)
    WHERE a.subject = g.uid::uuid AND a.kind = 'rollout';
  END IF;
  IF 'former' = ANY (p_lists) THEN
    DELETE FROM activity a USING json_array_elements_text(p_more -> 'former') AS g (name) WHERE a.namespace = g.name;
  END IF;
  IF 'notices' = ANY (p_lists) THEN
    INSERT INTO outbox (notifier, about, at, notice)
    SELECT DISTINCT ON (r.notifier, r.about) r.notifier, r.about, r.at, r.notice
    FROM json_to_recordset(p_more -> 'notices') AS r (notifier uuid, about text, at bigint, notice jsonb)
    WHERE NOT EXISTS (SELECT 1 FROM outbox o
      WHERE o.notifier = r.notifier AND o.about = r.about AND o.at > r.at - 86400000);
  END IF;
END $$;

-- Swaps the counter first. Where another commit came between, or the newest commit is not the one that the writes ran on
-- (`p_tip`; NULL: not known), nothing is done, and the answer says where things stand. Not answered while another replica
-- reads without asking.
CREATE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint, p_origin text,
  p_objects json, p_more json, p_lists text[], p_tip uuid) RETURNS TABLE (done boolean, rv bigint, term bigint, tip uuid)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters c SET rv = p_next, tip = p_id, tip_at = p_at
  WHERE c.rv = p_expected AND (p_tip IS NULL OR c.tip = p_tip) AND (p_leader IS NULL OR c.term = p_leader);
  IF NOT FOUND THEN
    RETURN QUERY SELECT false, c.rv, c.term, c.tip FROM counters c;
    RETURN;
  END IF;
  -- The row is locked: who holds it cannot hold it longer.
  PERFORM pg_sleep(extract(epoch FROM c.alone_until - clock_timestamp())) FROM counters c
  WHERE c.alone::text IS DISTINCT FROM p_origin AND c.alone_until > clock_timestamp();
  INSERT INTO commits (id, at) VALUES (p_id, p_at);
  PERFORM apply_changes(p_objects, p_more, p_lists, p_leader);
  PERFORM keep_records(p_more, p_lists);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term, c.tip FROM counters c;
END $$;
