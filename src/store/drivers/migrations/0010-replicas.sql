-- The fence: each new leader raises the term under the lock of the one counter row, which every write
-- takes first. A leader's write names its term and is refused when that is no longer the one here.
ALTER TABLE counters ADD COLUMN term bigint NOT NULL DEFAULT 0;
-- Term of the leader whose loops made the change; NULL for what anybody may write.
ALTER TABLE changes ADD COLUMN term bigint;

-- Who leads. Renewing touches this row alone: no write transaction can keep a leader from it.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  term bigint NOT NULL,
  renewed_at timestamptz NOT NULL
);

-- Controllers on this database, by when each was last heard of.
CREATE TABLE replicas (
  id uuid PRIMARY KEY,
  seen_at timestamptz NOT NULL
);

-- The newest stream of each agent, and the replica that holds it; NULL: it ended.
CREATE TABLE agent_connections (
  agent_uid uuid PRIMARY KEY,
  connection uuid NOT NULL,
  replica uuid,
  -- Start of the agent's process: reports of an earlier one are replays.
  boot text NOT NULL
);
