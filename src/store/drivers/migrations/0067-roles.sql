-- Roles of CI and of operators: see docs/adr/0082-rights-below-a-team.md.
ALTER TABLE team_members DROP CONSTRAINT team_members_role_check;
ALTER TABLE team_members ADD CONSTRAINT team_members_role_check
  CHECK (role IN ('owner', 'maintainer', 'developer', 'deployer', 'operator', 'viewer', 'auditor'));
ALTER TABLE tokens DROP CONSTRAINT tokens_role_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_role_check
  CHECK (role IN ('owner', 'maintainer', 'developer', 'deployer', 'operator', 'viewer', 'auditor'));
