-- The object before a change, so that a list can go on as it was at an older version; NULL where it
-- did not exist. Rows without it are of no use for that: watchers list again once.
ALTER TABLE changes ADD COLUMN previous json;
DELETE FROM changes;
UPDATE counters SET compacted_rv = rv;
