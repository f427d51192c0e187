import { expect, it } from 'vitest'
import { looksSecret } from './looks-secret.ts'

it.each([
  ...['POSTGRES_PASSWORD=x', 'DB_PASSWD=gitea', 'PIHOLE_PW=changeit', 'WEBPASSWORD=changeit'],
  ...['REDISCLI_AUTH=difyai123456', 'REDIS_AUTH=myredissecret', 'NEO4J_AUTH=neo4j/letmein12'],
  ...[
    'SALT=mysalt',
    'ENCRYPTION_KEY=abcdefgh',
    'jwtSecret=abcdefgh',
    'SENTRY_DSN=https://a@b.io/1',
  ],
  ...['AWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP', 'PIN_PASSWORD=12345', 'PG_META_CRYPTO_KEY=secret'],
  ...['DATABASE_URL=postgres://a:b@db/x', 'BROKER=redis://:difyai@redis:6379/1'],
  ...['HOOK=https://hooks.slack.com/services/T/B/x', 'PEM=-----BEGIN RSA PRIVATE KEY-----'],
  ...['CONNECTION=Server=db;User=sa;Password=example_1;', 'SEED=0123456789abcdef0123456789abcdef'],
])('%s is a secret', (line) => {
  const [key = '', ...rest] = line.split('=')
  expect(looksSecret(key, rest.join('='))).toBe(true)
})

it.each([
  ...[
    'TLS_KEY=/certs/tls.key',
    'DATABASE_PASSWORD=/run/secrets/db-password',
    'SSL_KEY=certs/a.pem',
  ],
  ...[
    'TOKEN_EXPIRES_IN=3600',
    'JWT_SECRET_LENGTH=64',
    'PASSWORD_RESET_TIMEOUT=1h',
    'MAX_TOKENS=4096',
  ],
  ...['ENABLE_AUTH=true', 'POSTGRES_HOST_AUTH_METHOD=trust', 'AUTH=none', 'SECRET_KEY='],
  ...[
    'TOKEN_URL=https://id.example.com/token',
    'SECRET_NAME=app',
    'API_KEY_HEADER=X-Key',
    'PWD=/srv',
  ],
  ...['TZ=Europe/Berlin', 'POSTGRES_USER=postgres', 'LOG_LEVEL=info', 'URL=https://example.com'],
])('%s is none', (line) => {
  const [key = '', ...rest] = line.split('=')
  expect(looksSecret(key, rest.join('='))).toBe(false)
})

it.each([
  ['PASSWORD_DB', 's3cret-of-the-database'],
  ['APP_PWD_USER', 's3cret-of-the-user'],
  ['PASSWORD_LOGIN', 's3cret-of-the-login'],
  ['CONNECTION', 'Server=db;Password=&begins-so;'],
])('takes %s for a secret', (key, value) => expect(looksSecret(key, value)).toBe(true))

it.each([
  ['AUTH_DB', 'admin'],
  ['SECRET_USER', 'app'],
  ['PASSWORD_HOST', 'db.example'],
  ['PWD', '/srv/shop'],
])('takes %s for none', (key, value) => expect(looksSecret(key, value)).toBe(false))
