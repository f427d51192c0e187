-- A row of the audit log has its place in the chain from its commit on. Rows of before have got theirs: see migrate.ts.
DROP INDEX audit_unlinked;
DROP INDEX audit_seq;
ALTER TABLE audit ALTER COLUMN seq SET NOT NULL, ALTER COLUMN actor_digest SET NOT NULL, ALTER COLUMN hash SET NOT NULL;
CREATE UNIQUE INDEX audit_seq ON audit (seq);

-- A delivery that is there already is looked for before the row is written.
DROP INDEX audit_delivery;
CREATE INDEX audit_delivery ON audit (namespace, name, (detail ->> 'project'), (detail ->> 'revision'))
  WHERE action = 'deliver';

-- As before, but for rows of the audit log: they come with their place.
CREATE OR REPLACE FUNCTION apply_changes(p_objects json, p_more json, p_lists text[], p_leader bigint) RETURNS void
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
    INSERT INTO audit (seq, at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result,
      actor_salt, actor_digest, subject_salt, subject_digest, hash)
    SELECT r.* FROM json_to_recordset(p_more -> 'audit') AS r (seq bigint, at timestamptz, kind text, namespace text,
      name text, actor text, source text, actor_id text, address text, request_id text, action text, detail json,
      result text, actor_salt text, actor_digest text, subject_salt text, subject_digest text, hash text);
  END IF;
END $$;
