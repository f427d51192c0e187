-- Nobody asks the tables by these any more: the state in memory answers.
DROP INDEX objects_namespace;
DROP INDEX objects_event_regarding;
DROP INDEX objects_secret_follows;

-- What writes leave behind, `p_objects` in order: a name, or the place of a secret, may go and come in one commit. One
-- of kind ProjectState only tells others. Row by row: a join with a list is planned as one of a hundred rows, and
-- then reads the whole table. `p_more` are lists by the names in `p_lists`.
CREATE OR REPLACE FUNCTION apply_changes(p_objects json, p_more json, p_lists text[], p_leader bigint) RETURNS void
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

-- As before, in one function.
DROP FUNCTION keep_other_records(json, text[]);
CREATE OR REPLACE FUNCTION keep_records(p_more json, p_lists text[]) RETURNS void
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
