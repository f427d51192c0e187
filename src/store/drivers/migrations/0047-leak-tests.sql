-- Leak tests of stagelets: names of keys and numbers, never a value or a line of a log. Times in ms.
CREATE TABLE leak_tests (
  id uuid PRIMARY KEY,
  stagelet_uid uuid NOT NULL,
  -- Namespace and name of the agent that was asked.
  agent text NOT NULL,
  tail int NOT NULL,
  started_at bigint NOT NULL,
  -- The last word of the agent; at first, when it was asked.
  heard_at bigint NOT NULL,
  finished_at bigint,
  state text NOT NULL,
  -- Why nothing was counted.
  message text,
  lines bigint NOT NULL DEFAULT 0,
  complete boolean,
  services json
);
CREATE INDEX leak_tests_stagelet ON leak_tests (stagelet_uid, started_at DESC);
