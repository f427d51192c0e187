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

it.each([
  // The name says it: no look of the value takes that back.
  ...['DB_PASSWORD=/hunter2', 'DB_PASSWORD=/Xk9/aB3', 'PASSWORD_DB=/hunter2', 'API_KEY=hunter/2'],
  ...['REDIS_AUTH=12345', 'API_TOKEN=12345', 'apiKey=12345', 'SALT=12345', 'HASH_SECRET=10m'],
  ...[
    'ADMIN_TOKEN_2=12345',
    'DB_PASSWORD_PROD=/hunter2',
    'PASSWORD_DB=12345',
    'MY_CREDENTIALS=1234',
  ],
  ...['URL=postgres://u:pa/ss@db', 'URL=redis://:12/ss@redis', 'URL=amqp://u:p@s/s@mq:5672//'],
  ...['JDBC=jdbc:mysql://db/x?user=a&password=b', 'CONNECTION=Password=ab&cd;', 'A=password= x;'],
])('takes %s for a secret by the name of its key, or by a password in it', (line) => {
  const [, key = '', value = ''] = /^(.*?)=(.*)$/.exec(line) ?? []
  expect(looksSecret(key, value)).toBe(true)
})

it.each([
  ...['TLS_KEY=./certs/tls', 'SSH_KEY=~/.ssh/id_rsa', 'SSH_PRIVATE_KEY=/root/.ssh/id_rsa'],
  ...['JWT_SECRET=/run/secrets/jwt', 'PASSWORD_FILE=/hunter2', 'DB_SECRETS_LOCATION=/data'],
  ...['TOKEN_VALIDITY=24h', 'TOKEN_STORAGE=/tokens', 'MAX_TOKENS=10', 'REDIS_AUTH=yes'],
  ...['AUTH_PORT=5432', 'TOKEN_USER=1000', 'ALLOW_EMPTY_PASSWORD=1'],
  ...['PROXY=http://proxy:8080/a@b', 'IMAGE=oci://registry:5000/org/app@sha256:abc'],
  ...[
    'LISTEN=http://[::1]:8080/a@b',
    'DSN_OF=host=db password= dbname=x',
    'URL=http://h?password=&x=1',
  ],
])('takes %s for none, though it looks a little like one', (line) => {
  const [, key = '', value = ''] = /^(.*?)=(.*)$/.exec(line) ?? []
  expect(looksSecret(key, value)).toBe(false)
})
