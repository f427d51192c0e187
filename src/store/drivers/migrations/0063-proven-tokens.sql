-- A token confirms the session of a browser only where the person was known to be there when it was made.
ALTER TABLE tokens ADD COLUMN is_proven boolean NOT NULL DEFAULT false;
-- Those of before count, but for the ones of logins at the OpenID provider, which asked nobody again.
UPDATE tokens SET is_proven = true WHERE NOT is_session
  AND (created_by <> 'controller' OR name = 'first-start' OR name LIKE 'emergency-%');
ALTER TABLE login_codes ADD COLUMN is_proven boolean NOT NULL DEFAULT false;
