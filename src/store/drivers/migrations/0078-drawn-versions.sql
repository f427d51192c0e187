-- Of a version: whether a program of ours has drawn its bytes by chance. NULL: no. See docs/adr/0087-where-values-lie.md.
ALTER TABLE secret_versions ADD COLUMN drawn boolean;

-- What was drawn until now: no person has written the value in any kept version of the secret.
UPDATE secret_versions v SET drawn = true
FROM objects o
WHERE o.uid = v.secret_uid AND v.made
  AND (o.body #>> '{spec,valueFrom,generate}' IS NOT NULL OR EXISTS (
    SELECT 1 FROM objects r WHERE r.kind = 'Rotation' AND r.namespace = o.namespace
      AND r.name = o.body #>> '{spec,valueFrom,rotation,name}' AND r.body #>> '{spec,rotator,webhook}' IS NULL))
  AND NOT EXISTS (SELECT 1 FROM secret_versions w WHERE w.secret_uid = v.secret_uid AND w.made IS NOT TRUE);

CREATE OR REPLACE FUNCTION apply_environments(p_more json, p_lists text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF 'environments' = ANY (p_lists) THEN
    UPDATE secret_versions v SET environments = r.environments, plain = r.plain, made = r.made, drawn = r.drawn
    FROM json_to_recordset(p_more -> 'environments') AS r (secret_uid uuid, version int, environments json, plain boolean,
      made boolean, drawn boolean)
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
