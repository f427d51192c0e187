-- Of an ended version for one stagelet: the environments in which the stagelet was then, as JSON; "null": it was not there.
-- NULL: the version is current, or it ended before this was kept, or it is for no stagelet. The name of a stagelet may be
-- another one's by now: see docs/adr/0082-rights-below-a-team.md.
ALTER TABLE secret_versions ADD COLUMN ended_in text;

CREATE FUNCTION note_endings(p_endings json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  -- Of one commit, those that it began come first: what is left is the one that was current before.
  FOR r IN SELECT * FROM json_to_recordset(p_endings) AS e (secret_uid uuid, to_revision bigint, version int, ended_in text)
    ORDER BY version NULLS LAST
  LOOP
    UPDATE secret_versions v SET ended_in = r.ended_in
    WHERE v.secret_uid = r.secret_uid AND v.to_revision = r.to_revision AND v.ended_in IS NULL
      AND (r.version IS NULL OR v.version = r.version);
  END LOOP;
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
  IF 'endings' = ANY (p_lists) THEN PERFORM note_endings(p_more -> 'endings'); END IF;
  PERFORM keep_records(p_more, p_lists);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term, c.tip FROM counters c;
END $$;
