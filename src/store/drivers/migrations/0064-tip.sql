-- The newest commit, by its id: a replica tells by it whether the database still has what the replica knows. Of commits since
-- commits_from none was dropped.
ALTER TABLE counters ADD COLUMN tip uuid, ADD COLUMN tip_at bigint, ADD COLUMN commits_from bigint NOT NULL DEFAULT 0;

-- As before, and refused where the newest commit is not the one that the writes ran on. NULL: not known.
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

-- A replica of the version before calls this one.
CREATE OR REPLACE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint,
  p_origin text, p_objects json, p_more json, p_lists text[]) RETURNS TABLE (done boolean, rv bigint, term bigint)
LANGUAGE sql AS $$
  SELECT c.done, c.rv, c.term FROM commit_changes(p_id, p_at, p_expected, p_next, p_leader, p_origin, p_objects, p_more, p_lists, NULL) c
$$;
