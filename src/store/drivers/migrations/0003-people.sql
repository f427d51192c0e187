-- People. A team is a Namespace object; times are in ms.
CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  email text,
  display_name text,
  -- May do everything everywhere.
  admin boolean NOT NULL DEFAULT false,
  disabled_at bigint,
  -- Who this is at the OpenID provider, from the first login on.
  oidc_issuer text,
  oidc_subject text,
  created_at bigint NOT NULL,
  last_login_at bigint
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE UNIQUE INDEX users_subject ON users (oidc_issuer, oidc_subject);

CREATE TABLE team_members (
  -- The Namespace object's uid: who was in a deleted team is not in a new one of its name.
  team_id uuid NOT NULL REFERENCES objects (uid) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'maintainer', 'developer', 'viewer', 'auditor')),
  -- Given by a group of the OpenID provider: such rows follow the groups at each login.
  from_group boolean NOT NULL DEFAULT false,
  created_at bigint NOT NULL,
  PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

ALTER TABLE tokens RENAME TO admin_tokens;
ALTER TABLE admin_tokens RENAME CONSTRAINT tokens_pkey TO admin_tokens_pkey;
ALTER TABLE admin_tokens RENAME CONSTRAINT tokens_name_key TO admin_tokens_name_key;

-- A personal token belongs to a user and may do what he may; a machine's belongs to a team.
CREATE TABLE tokens (
  id uuid PRIMARY KEY,
  -- SHA-256 of a token of 32 random bytes.
  hash text NOT NULL UNIQUE,
  name text NOT NULL,
  -- The first letters, by which a person knows it again.
  hint text NOT NULL,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  team_id uuid REFERENCES objects (uid) ON DELETE CASCADE,
  -- Of a machine: its role in the team. Of a person: the most that the token may.
  role text CHECK (role IN ('owner', 'maintainer', 'developer', 'viewer', 'auditor')),
  read_only boolean NOT NULL DEFAULT false,
  -- Only in these teams; null: in all of the owner's.
  namespaces json,
  expires_at bigint,
  -- Written once a minute at most.
  last_used_at bigint,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  CHECK ((user_id IS NULL) <> (team_id IS NULL)),
  CHECK (team_id IS NULL OR role IS NOT NULL)
);
CREATE UNIQUE INDEX tokens_name ON tokens (coalesce(user_id, team_id), name);
CREATE INDEX tokens_team ON tokens (team_id);

-- The admin of the first start is a user like others, who can be disabled once there are more.
INSERT INTO users (id, name, admin, created_at)
SELECT gen_random_uuid(), 'admin', true, min(created_at) FROM admin_tokens HAVING count(*) > 0;
INSERT INTO tokens (id, hash, name, hint, user_id, expires_at, created_at, created_by)
SELECT gen_random_uuid(), t.hash, 'first-start', 'sat_', u.id, t.expires_at, t.created_at, 'controller'
FROM admin_tokens t CROSS JOIN users u;
DROP TABLE admin_tokens;

-- Logins by the OpenID provider that are under way, by the hash of their state.
CREATE TABLE logins (
  state_hash text PRIMARY KEY,
  -- Where the answer goes: always the loopback of the person's machine.
  redirect_uri text NOT NULL,
  client_state text NOT NULL,
  challenge text NOT NULL,
  expires_at bigint NOT NULL
);
-- Logins that are done; each code is exchanged once for a token, by who knows the verifier.
CREATE TABLE login_codes (
  code_hash text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  challenge text NOT NULL,
  expires_at bigint NOT NULL
);
