-- Environments of projects: see docs/adr/0080-environments.md.

-- Of a version: the environments whose stagelets see it, as a list; NULL: it is for no environment in particular.
ALTER TABLE secret_versions ADD COLUMN environments json;

-- Which stagelet is in which environment, from this revision on. A project without environments has none.
CREATE TABLE layouts (
  project_uid uuid NOT NULL REFERENCES projects (uid) ON DELETE CASCADE,
  from_revision bigint NOT NULL,
  layout json NOT NULL,
  -- Names of the stagelets that see the secrets of another environment since then, 20 at most, and who changed that.
  moved jsonb NOT NULL,
  changed_by jsonb NOT NULL,
  PRIMARY KEY (project_uid, from_revision)
);

-- Two secrets of one key and scope may stand beside each other in different environments. Lists that meet are refused by
-- the store.
DROP INDEX objects_secret_identity;
CREATE UNIQUE INDEX objects_secret_identity ON objects (
  namespace,
  (body #>> '{spec,projectRef,name}'),
  (body #>> '{spec,key}'),
  (body #>> '{spec,scope}'),
  (coalesce(body #>> '{spec,stageletRef,name}', '')),
  (coalesce(body #>> '{spec,environments}', ''))
) WHERE kind = 'StagelySecret';

-- The first 20 of a list, each once.
CREATE FUNCTION names_of(p_names jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(n.name), '[]') FROM (
    SELECT DISTINCT name COLLATE "C" AS name FROM jsonb_array_elements_text(p_names) AS t (name) ORDER BY 1 LIMIT 20) n
$$;

-- Closed revisions, with the stagelets that moved.
ALTER VIEW revision_facts RENAME TO secret_facts;
CREATE VIEW revision_facts AS
SELECT f.project_uid, f.revision, f.closed_at, f.namespace, f.project, f.detail || coalesce((
  SELECT jsonb_build_object('moved', l.moved, 'by', names_of(f.detail -> 'by' || l.changed_by))
  FROM layouts l WHERE l.project_uid = f.project_uid AND l.from_revision = f.revision), '{}') AS detail
FROM secret_facts f;

-- What a commit changes of environments: after the versions that it names are stored.
CREATE FUNCTION apply_environments(p_more json, p_lists text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF 'environments' = ANY (p_lists) THEN
    UPDATE secret_versions v SET environments = r.environments
    FROM json_to_recordset(p_more -> 'environments') AS r (secret_uid uuid, version int, environments json)
    WHERE v.secret_uid = r.secret_uid AND v.version = r.version;
  END IF;
  IF 'layouts' = ANY (p_lists) THEN
    INSERT INTO layouts AS l (project_uid, from_revision, layout, moved, changed_by)
    SELECT r.* FROM json_to_recordset(p_more -> 'layouts') AS r (project_uid uuid, from_revision bigint, layout json,
      moved jsonb, changed_by jsonb)
    ON CONFLICT (project_uid, from_revision) DO UPDATE SET layout = excluded.layout,
      moved = names_of(l.moved || excluded.moved), changed_by = names_of(l.changed_by || excluded.changed_by);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint,
  p_origin text, p_objects json, p_more json, p_lists text[], p_tip uuid)
  RETURNS TABLE (done boolean, rv bigint, term bigint, tip uuid)
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
  IF p_lists && ARRAY['environments', 'layouts'] THEN PERFORM apply_environments(p_more, p_lists); END IF;
  PERFORM keep_records(p_more, p_lists);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term, c.tip FROM counters c;
END $$;
