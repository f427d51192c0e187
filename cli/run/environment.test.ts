import { describe, expect, it } from 'vitest'
import { makeEnvironment, steeredBy, withVariables } from './environment.ts'

describe('the environment of secrets on the machine of whoever calls', () => {
  it.each([
    [
      'the loader',
      'LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES GLIBC_TUNABLES GCONV_PATH OPENSSL_CONF GTK_MODULES QT_PLUGIN_PATH',
    ],
    ['the shell', 'PATH HOME IFS ENV BASH_ENV BASH_FUNC_ls SHELLOPTS PS4 PROMPT_COMMAND ZDOTDIR'],
    [
      'programs that others start',
      'EDITOR PAGER AWS_PAGER SUDO_ASKPASS LESSOPEN BROWSER PSQLRC MANPAGER RESTIC_PASSWORD_COMMAND BORG_PASSCOMMAND BORG_RSH PRISMA_QUERY_ENGINE_BINARY PUPPETEER_EXECUTABLE_PATH',
    ],
    [
      'an interpreter',
      'NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP PERL5OPT RUBYOPT JAVA_TOOL_OPTIONS _JAVA_OPTIONS JAVA_OPTS CLASSPATH DOTNET_STARTUP_HOOKS LUA_INIT_5_4 PHP_INI_SCAN_DIR GODEBUG GOAUTH GOCACHEPROG MPLBACKEND R_PROFILE_USER ERL_FLAGS',
    ],
    [
      'a build or package tool',
      'npm_config_node_options NPM_CONFIG_NODE_OPTIONS Npm_Config_script_shell npm_config_node-options PIP_INDEX_URL MAKEFILES CC RUSTC_WRAPPER KUBECONFIG BUNDLE_GEMFILE TF_CLI_CONFIG_FILE GCC_EXEC_PREFIX CGO_CFLAGS MISE_ENV',
    ],
    ['git or ssh', 'GIT_SSH_COMMAND GIT_CONFIG_COUNT SSH_AUTH_SOCK SVN_SSH RSYNC_RSH GNUPGHOME'],
    ['Docker or Compose', 'DOCKER_HOST COMPOSE_FILE BUILDX_CONFIG CONTAINER_HOST'],
    [
      'whom the network trusts',
      'http_proxy HTTPS_PROXY NO_PROXY NODE_TLS_REJECT_UNAUTHORIZED NODE_EXTRA_CA_CERTS SSL_CERT_FILE CURL_CA_BUNDLE SSLKEYLOGFILE AWS_CONFIG_FILE HOSTALIASES GRPC_DEFAULT_SSL_ROOTS_FILE_PATH OTEL_EXPORTER_OTLP_ENDPOINT',
    ],
    ['Stagely', 'STAGELY_TOKEN STAGELY_SERVER STAGELY_CA_FILE'],
  ])('never sets what steers %s', (steers, names) => {
    expect(names.split(' ').filter((name) => steeredBy(name) !== steers)).toEqual([])
  })

  it('sets what is plain data', () => {
    const names =
      'DATABASE_URL POSTGRES_PASSWORD REDIS_URL NODE_ENV PORT API_KEY NPM_TOKEN AWS_SECRET_ACCESS_KEY PGPASSWORD GOOGLE_APPLICATION_CREDENTIALS CERT_FILE TLS_KEY_PATH REDIS_CA_FILE SSL_KEY CARGO_REGISTRY_TOKEN GITHUB_TOKEN SENTRY_DSN LOG_LEVEL TZ LANG DJANGO_SECRET_KEY VAULT_TOKEN SSH_PRIVATE_KEY GIT_TOKEN DOCKER_PASSWORD ANSIBLE_VAULT_PASSWORD __proto__ constructor'
    expect(names.split(' ').filter((name) => steeredBy(name) !== undefined)).toEqual([])
  })

  it('judges the names of env and file secrets alike, and says of each why', () => {
    const given = ['URL', 'BASH_ENV', 'PATH', 'CERT_FILE', 'PATH'].map((name) => ({
      name,
      value: `of ${name}`,
    }))
    expect(makeEnvironment(given)).toEqual({
      variables: [
        { name: 'URL', value: 'of URL' },
        { name: 'CERT_FILE', value: 'of CERT_FILE' },
      ],
      warnings: [
        'Warning: BASH_ENV is left out: it steers the shell',
        'Warning: PATH is left out: it steers the shell',
      ],
    })
  })

  it('loses no name that objects have of their own', () => {
    const variables = ['__proto__', 'constructor', 'A'].map((name) => ({ name, value: 'new' }))
    const env = withVariables({ A: 'old', B: 'base' }, variables)
    expect(Object.entries(env)).toEqual([
      ['A', 'new'],
      ['B', 'base'],
      ['__proto__', 'new'],
      ['constructor', 'new'],
    ])
  })
})
