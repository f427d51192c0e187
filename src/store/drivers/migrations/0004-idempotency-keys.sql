-- Answers to creates that came with an Idempotency-Key. Never a secret value: not in the answer, and
-- the request is there only as a keyed digest, which nobody can guess a value from. Times in ms.
CREATE TABLE idempotency_keys (
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  request_mac text NOT NULL,
  -- Which of several requests at once is doing the work.
  claim uuid NOT NULL,
  claimed_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  -- Absent while the work is being done.
  answer json,
  PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_keys_claim ON idempotency_keys (claim);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
