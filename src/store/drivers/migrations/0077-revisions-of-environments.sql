-- The environments that a closed revision changed, so that each keeps its newest ones: '*' is all of them, '' the
-- stagelets in none. NULL: the next compaction finds out.
ALTER TABLE revisions ADD COLUMN counts_in text[];

-- The environment of a stagelet at a revision; NULL: in none, or not there.
CREATE FUNCTION environment_at(p_project uuid, p_revision bigint, p_stagelet text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT s.place ->> 1 FROM json_array_elements((SELECT l.layout -> 'stagelets' FROM layouts l
    WHERE l.project_uid = p_project AND l.from_revision <= p_revision ORDER BY l.from_revision DESC LIMIT 1)) AS s (place)
  WHERE s.place ->> 0 = p_stagelet
$$;

-- Where the versions that began or ended with a revision count, and where the stagelets are and were that moved in it. A
-- layout lists 20 of those: with 20 it may be any environment.
CREATE FUNCTION changed_environments(p_project uuid, p_revision bigint) RETURNS text[]
LANGUAGE sql STABLE AS $$
  WITH changed AS (
    SELECT v.stagelet, v.environments FROM secret_versions v WHERE v.project_uid = p_project AND v.from_revision = p_revision
    UNION ALL
    SELECT v.stagelet, v.environments FROM secret_versions v WHERE v.project_uid = p_project AND v.to_revision = p_revision
  ), moved AS (
    SELECT n.name FROM layouts l CROSS JOIN LATERAL jsonb_array_elements_text(l.moved) AS n (name)
    WHERE l.project_uid = p_project AND l.from_revision = p_revision
  ), stagelets AS (
    SELECT stagelet AS name FROM changed WHERE stagelet IS NOT NULL UNION SELECT name FROM moved
  ), places AS (
    SELECT e.name AS place FROM changed c CROSS JOIN LATERAL json_array_elements_text(c.environments) AS e (name)
    UNION SELECT '*' FROM changed c WHERE c.environments IS NULL AND c.stagelet IS NULL
    UNION SELECT coalesce(environment_at(p_project, p_revision, s.name), environment_at(p_project, p_revision - 1, s.name), '')
      FROM stagelets s
    UNION SELECT environment_at(p_project, p_revision - 1, s.name) FROM stagelets s
    UNION SELECT '*' WHERE (SELECT count(*) FROM moved) >= 20
  )
  SELECT coalesce(array_agg(place), '{*}') FROM places WHERE place IS NOT NULL
$$;
