-- A change says all that a replica needs to follow it. Those of before do not.
DELETE FROM changes;
UPDATE counters SET compacted_rv = rv;
-- `state` is what a commit changed of projects, on its last change.
ALTER TABLE changes ADD COLUMN uid uuid NOT NULL, ADD COLUMN source text NOT NULL, ADD COLUMN state json;

-- Commits of the last minutes: after a lost answer they tell whether one is there.
CREATE TABLE commits (
  id uuid PRIMARY KEY,
  at bigint NOT NULL
);
CREATE INDEX commits_at ON commits (at);

-- What writes leave behind. `p_objects` are changes in order; one of kind ProjectState only tells others. `p_more` are lists by the names in `p_lists`.
CREATE FUNCTION apply_changes(p_objects json, p_more json, p_lists text[], p_leader bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF 'objects' = ANY (p_lists) THEN
    INSERT INTO changes (rv, type, kind, namespace, name, uid, source, body, created_at, state, term, previous)
    SELECT r.rv, r.type, r.kind, r.namespace, r.name, r.uid, r.source, r.body, r.at, r.state, p_leader,
      coalesce((lag(r.body::text) OVER (PARTITION BY r.kind, r.uid ORDER BY r.rv))::json, o.body)
    FROM json_to_recordset(p_objects) AS r (rv bigint, type text, kind text, namespace text, name text, uid uuid,
      source text, at bigint, body json, state json)
    LEFT JOIN objects o ON o.uid = r.uid AND o.kind = r.kind;
  END IF;
  IF 'dropped' = ANY (p_lists) THEN
    DELETE FROM objects o USING json_to_recordset(p_objects) AS r (uid uuid, kind text, type text)
    WHERE o.uid = r.uid AND o.kind = r.kind AND r.type = 'DELETED';
  END IF;
  IF 'objects' = ANY (p_lists) THEN
    INSERT INTO objects (uid, kind, namespace, name, rv, source, body)
    SELECT r.uid, r.kind, r.namespace, r.name, r.rv, r.source, r.body FROM (
      SELECT DISTINCT ON (c.uid) c.* FROM json_to_recordset(p_objects) AS c (rv bigint, type text, kind text,
        namespace text, name text, uid uuid, source text, body json)
      WHERE c.kind <> 'ProjectState' ORDER BY c.uid, c.rv DESC
    ) r WHERE r.type <> 'DELETED'
    ON CONFLICT (uid) DO UPDATE SET rv = excluded.rv, source = excluded.source, body = excluded.body;
  END IF;
  IF 'gone' = ANY (p_lists) THEN
    DELETE FROM projects p USING json_array_elements_text(p_more -> 'gone') AS g (uid) WHERE p.uid = g.uid::uuid;
  END IF;
  IF 'projects' = ANY (p_lists) THEN
    INSERT INTO projects (uid, namespace, name, digest_key, key_provider, revision, opened_at, last_write_at,
      change_sets, head_mac, quiet_at)
    SELECT r.* FROM json_to_recordset(p_more -> 'projects') AS r (uid uuid, namespace text, name text,
      digest_key text, key_provider text, revision bigint, opened_at bigint, last_write_at bigint, change_sets json,
      head_mac text, quiet_at bigint)
    ON CONFLICT (uid) DO UPDATE SET digest_key = excluded.digest_key, key_provider = excluded.key_provider,
      revision = excluded.revision, opened_at = excluded.opened_at, last_write_at = excluded.last_write_at,
      change_sets = excluded.change_sets, head_mac = excluded.head_mac, quiet_at = excluded.quiet_at;
  END IF;
  IF 'keys' = ANY (p_lists) THEN
    UPDATE data_keys k SET retired_at = r.created_at
    FROM json_to_recordset(p_more -> 'keys') AS r (project_uid uuid, created_at bigint)
    WHERE k.project_uid = r.project_uid AND k.retired_at IS NULL;
    INSERT INTO data_keys (id, project_uid, provider, provider_key_id, wrapped, created_at)
    SELECT r.* FROM json_to_recordset(p_more -> 'keys') AS r (id uuid, project_uid uuid, provider text,
      provider_key_id text, wrapped text, created_at bigint);
  END IF;
  IF 'ended' = ANY (p_lists) THEN
    UPDATE secret_versions v SET to_revision = r.to_revision, ended_by = r.ended_by
    FROM json_to_recordset(p_more -> 'ended') AS r (secret_uid uuid, to_revision bigint, ended_by text)
    WHERE v.secret_uid = r.secret_uid AND v.to_revision IS NULL;
  END IF;
  IF 'versions' = ANY (p_lists) THEN
    INSERT INTO secret_versions (secret_uid, version, project_uid, from_revision, to_revision, ended_by, name, key,
      scope, stagelet, type, file, sealed, data_key_id, value_digest, bytes, created_at, created_by, refs)
    SELECT r.* FROM json_to_recordset(p_more -> 'versions') AS r (secret_uid uuid, version int, project_uid uuid,
      from_revision bigint, to_revision bigint, ended_by text, name text, key text, scope text, stagelet text,
      type text, file json, sealed text, data_key_id uuid, value_digest text, bytes int, created_at bigint,
      created_by text, refs json);
  END IF;
  IF 'revisions' = ANY (p_lists) THEN
    INSERT INTO revisions (project_uid, revision, closed_at, mac)
    SELECT r.* FROM json_to_recordset(p_more -> 'revisions') AS r (project_uid uuid, revision bigint,
      closed_at bigint, mac text);
  END IF;
  IF 'buried' = ANY (p_lists) THEN
    INSERT INTO deleted_secrets (secret_uid, project_uid, namespace, name, body, deleted_at, deleted_by)
    SELECT r.* FROM json_to_recordset(p_more -> 'buried') AS r (secret_uid uuid, project_uid uuid, namespace text,
      name text, body json, deleted_at bigint, deleted_by text);
  END IF;
  IF 'former' = ANY (p_lists) THEN
    INSERT INTO former_namespaces (name)
    SELECT g.name FROM json_array_elements_text(p_more -> 'former') AS g (name) ON CONFLICT DO NOTHING;
  END IF;
  IF 'agents' = ANY (p_lists) THEN
    DELETE FROM agent_keys k USING json_to_recordset(p_more -> 'agents') AS r (uid uuid) WHERE k.agent_uid = r.uid;
    DELETE FROM join_tokens t USING json_to_recordset(p_more -> 'agents') AS r (namespace text, name text)
    WHERE t.namespace = r.namespace AND t.name = r.name;
  END IF;
  IF 'audit' = ANY (p_lists) THEN
    INSERT INTO audit (at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result)
    SELECT to_timestamp(r.at::float8 / 1000), r.kind, r.namespace, r.name, r.actor, r.source, r.actor_id, r.address,
      r.request_id, r.action, r.detail, r.result
    FROM json_to_recordset(p_more -> 'audit') AS r (at bigint, kind text, namespace text, name text, actor text,
      source text, actor_id text, address text, request_id text, action text, detail json, result text);
  END IF;
END $$;

-- Swaps the counter first: where another commit came between, nothing is done, and the answer says where things stand.
CREATE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint, p_origin text,
  p_objects json, p_more json, p_lists text[]) RETURNS TABLE (done boolean, rv bigint, term bigint)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters c SET rv = p_next WHERE c.rv = p_expected AND (p_leader IS NULL OR c.term = p_leader);
  IF NOT FOUND THEN
    RETURN QUERY SELECT false, c.rv, c.term FROM counters c;
    RETURN;
  END IF;
  INSERT INTO commits (id, at) VALUES (p_id, p_at);
  PERFORM apply_changes(p_objects, p_more, p_lists, p_leader);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term FROM counters c;
END $$;
