-- From then on (ms) nothing more is expected that belongs together with what was written last: a stack
-- whose first rollout would otherwise begin without some of its secrets waits until then.
ALTER TABLE projects ADD COLUMN quiet_at bigint NOT NULL DEFAULT 0;
