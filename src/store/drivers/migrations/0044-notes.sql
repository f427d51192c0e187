-- Why a change was made: of the revision that is open, and of those that are closed.
ALTER TABLE projects ADD COLUMN note text;
ALTER TABLE revisions ADD COLUMN note text;

-- What a commit keeps for people beside what it stores: lists of `p_more` that apply_changes() does not know.
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
END $$;

-- As before, and keeps records.
CREATE OR REPLACE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint,
  p_origin text, p_objects json, p_more json, p_lists text[]) RETURNS TABLE (done boolean, rv bigint, term bigint)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters c SET rv = p_next WHERE c.rv = p_expected AND (p_leader IS NULL OR c.term = p_leader);
  IF NOT FOUND THEN
    RETURN QUERY SELECT false, c.rv, c.term FROM counters c;
    RETURN;
  END IF;
  INSERT INTO commits (id, at) VALUES (p_id, p_at);
  PERFORM apply_changes(p_objects, p_more, p_lists, p_leader);
  PERFORM keep_records(p_more, p_lists);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term FROM counters c;
END $$;
