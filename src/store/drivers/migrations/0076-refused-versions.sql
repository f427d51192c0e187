-- When it was measured that a service refuses the credential that the version holds. After revoked_at: that is when its
-- end was decided.
ALTER TABLE secret_versions ADD COLUMN refused_at bigint;
