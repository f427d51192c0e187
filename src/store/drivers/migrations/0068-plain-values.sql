-- Plain values: see docs/adr/0083-plain-values.md.

-- Of a version: whether its value is no secret, and whether no person has written it. NULL: no.
ALTER TABLE secret_versions ADD COLUMN plain boolean, ADD COLUMN made boolean;

CREATE OR REPLACE FUNCTION apply_environments(p_more json, p_lists text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF 'environments' = ANY (p_lists) THEN
    UPDATE secret_versions v SET environments = r.environments, plain = r.plain, made = r.made
    FROM json_to_recordset(p_more -> 'environments') AS r (secret_uid uuid, version int, environments json, plain boolean,
      made boolean)
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
