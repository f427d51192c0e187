-- The replica that reads its state without asking here whether another has written meanwhile, and until when.
ALTER TABLE counters ADD COLUMN alone uuid, ADD COLUMN alone_until timestamptz;

-- As before, and not answered while another replica reads without asking.
CREATE OR REPLACE FUNCTION commit_changes(p_id uuid, p_at bigint, p_expected bigint, p_next bigint, p_leader bigint,
  p_origin text, p_objects json, p_more json, p_lists text[]) RETURNS TABLE (done boolean, rv bigint, term bigint)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters c SET rv = p_next WHERE c.rv = p_expected AND (p_leader IS NULL OR c.term = p_leader);
  IF NOT FOUND THEN
    RETURN QUERY SELECT false, c.rv, c.term FROM counters c;
    RETURN;
  END IF;
  -- The row is locked: who holds it cannot hold it longer.
  PERFORM pg_sleep(extract(epoch FROM c.alone_until - clock_timestamp())) FROM counters c
  WHERE c.alone::text IS DISTINCT FROM p_origin AND c.alone_until > clock_timestamp();
  INSERT INTO commits (id, at) VALUES (p_id, p_at);
  PERFORM apply_changes(p_objects, p_more, p_lists, p_leader);
  PERFORM keep_records(p_more, p_lists);
  IF p_origin IS NOT NULL THEN PERFORM pg_notify('stagely_changes', p_origin); END IF;
  RETURN QUERY SELECT true, p_next, c.term FROM counters c;
END $$;
