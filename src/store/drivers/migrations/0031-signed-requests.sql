-- The highest counter of the requests that an agent's key has signed: each of them counts once, at
-- whatever replica. It comes from the agent's clock, so that what is signed after now is higher.
ALTER TABLE agent_keys ADD COLUMN counter bigint NOT NULL DEFAULT 0;
UPDATE agent_keys SET counter = extract(epoch FROM now()) * 1000;

-- A delivery is audited once for each (project, revision, stagelet, agent) and keys that it was sealed to:
-- an agent that joins anew under the same name is another one.
DROP INDEX audit_delivery;
CREATE UNIQUE INDEX audit_delivery ON audit (
  namespace, name, (detail ->> 'project'), (detail ->> 'revision'), (detail ->> 'epoch'), (detail ->> 'agent'),
  (coalesce(detail ->> 'keys', ''))
) WHERE action = 'deliver';
