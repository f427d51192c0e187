-- The places to which a member's role is narrowed, as of a token; NULL: the whole team.
-- See docs/adr/0082-rights-below-a-team.md.
ALTER TABLE team_members ADD COLUMN narrowing json;

-- True: who made the token of a machine had the right to what is protected. The token has that right where its narrowing
-- names the environment, also one that is protected later.
ALTER TABLE tokens ADD COLUMN enters_protected boolean NOT NULL DEFAULT false;
UPDATE tokens t SET enters_protected = true
WHERE t.team_id IS NOT NULL AND t.narrowing IS NOT NULL AND EXISTS (
  SELECT 1 FROM users u WHERE u.name = t.created_by AND (u.admin OR EXISTS (
    SELECT 1 FROM team_members m
    WHERE m.user_id = u.id AND m.team_id = t.team_id AND m.role = 'owner')));
