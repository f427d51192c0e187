// The environment that secrets give to a program on the machine of whoever calls: of `stagely run`, and of what
// `stagely secrets export` prints for a shell. Who writes secrets chooses their names, and some names make another
// program run code, or send what it knows elsewhere. Such a name is never set from a secret. A list cannot know every
// program: docs/security-model.md says what that leaves.
import { isGuarded } from '../../src/compose/environment.ts'

export interface Variable {
  /** As the program sees it: the key of an env secret, or the variable of a file secret. */
  readonly name: string
  readonly value: string
}

interface MadeEnvironment {
  readonly variables: readonly Variable[]
  /** One for each variable that is left out. */
  readonly warnings: readonly string[]
}

/** What a name of the family steers, in any case: npm and libcurl read both, and Windows knows no difference. */
const families: readonly (readonly [steers: string, names: RegExp])[] = [
  ['Stagely', /^STAGELY_.*$/i],
  [
    'the loader',
    /^(LD_.*|DYLD_.*|LIBPATH|SHLIB_PATH|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*|(GTK|QT)_.*|GDK_PIXBUF_MODULE.*|GI_TYPELIB_PATH|GIO_(MODULE_DIR|EXTRA_MODULES)|GST_(PLUGIN|REGISTRY).*|OPENSSL_.*|LIBMYSQL_PLUGIN.*)$/i,
  ],
  [
    'the shell',
    /^(PATH|HOME|PWD|OLDPWD|CDPATH|FPATH|ZDOTDIR|USER|LOGNAME|SHELL|SHELLOPTS|BASHOPTS|BASH_.*|KSH_.*|FISH_.*|ENV|IFS|OPTIND|PS[0-4]|PROMPT_COMMAND|POSIXLY_CORRECT|GLOBIGNORE|INPUTRC|HISTFILE|TERM(CAP|INFO.*)|TMP|TEMP|TMPDIR|PATHEXT|COMSPEC)$/i,
  ],
  [
    'programs that others start',
    /^(EDITOR|VISUAL|FCEDIT|BROWSER|(.*_)?(MAN)?PAGER|(.*_)?(EDITOR|ASKPASS)|LESS(OPEN|CLOSE|KEY.*)?|XDG_.*|DBUS_.*|SYSTEMD_.*|NOTIFY_SOCKET|LISTEN_(FDS|PID)|DISPLAY|WAYLAND_.*|XAUTHORITY|VIMINIT|EXINIT|VIMRUNTIME|MYVIMRC|EMACSLOADPATH|PSQLRC|REDISCLI_RCFILE|MYSQL_(HOME|TEST_LOGIN_FILE)|PG(SYSCONFDIR|SERVICEFILE))$/i,
  ],
  [
    'an interpreter',
    /^(NODE_(OPTIONS|PATH|REPL_.*|ICU_DATA|V8_COVERAGE|REDIRECT_WARNINGS|PRESERVE_SYMLINKS.*)|ELECTRON_.*|TS_NODE_.*|BUN_(OPTIONS|INSPECT.*|CONFIG.*|INSTALL)|DENO_(DIR|INSTALL.*|NO_.*)|PYTHON[A-Z0-9]*|I?PYTHONDIR|JUPYTER_.*|MPL(BACKEND|CONFIGDIR)|VIRTUAL_ENV|CONDA_.*|PERL5.*|PERLLIB|PERL_M[BM]_OPT|RUBY(OPT|LIB|PATH|SHELL)|GEM_(HOME|PATH)|PHPRC|PHP_INI_SCAN_DIR|_?JAVA_(TOOL_)?OPTIONS|JDK_JAVA_OPTIONS|(JAVA|JRE|M2|MAVEN|GRADLE_USER)_HOME|CLASSPATH|(.*_)?(JAVA|JVM)_OPTS|(MAVEN|GRADLE|SBT|ANT|CATALINA|KAFKA|JETTY|LEIN|GROOVY|SCALA|KOTLIN)_OPTS|MAVEN_ARGS|DOTNET_(STARTUP_HOOKS|ROOT.*|ADDITIONAL_DEPS|SHARED_STORE|BUNDLE_.*)|CORECLR_.*|COR_(PROFILER.*|ENABLE_PROFILING)|COMPLUS_.*|ASPNETCORE_HOSTINGSTARTUPASSEMBLIES|LUA_(C?PATH|INIT).*|R_(HOME|PROFILE.*|ENVIRON.*|LIBS.*)|JULIA_.*|ERL_.*|ELIXIR_ERL_OPTIONS|GHCRTS|OCAMLRUNPARAM|CAML_LD_LIBRARY_PATH|TCLLIBPATH|GUILE_.*|AWK(LIB)?PATH|GO(DEBUG|GC|MEMLIMIT|MAXPROCS|TRACEBACK|COVERDIR|ROOT|PATH|BIN|ENV|FLAGS|PROXY|PRIVATE|INSECURE|NO.*|SUMDB|TOOLCHAIN|AUTH|CACHEPROG|VCS))$/i,
  ],
  [
    'a build or package tool',
    /^(NPM_(CONFIG_.*|EXECPATH|NODE_EXECPATH|LIFECYCLE_.*|PACKAGE_.*)|PNPM_(HOME|CONFIG_.*)|YARN_(YARN_PATH|RC_FILENAME|PLUGINS|IGNORE_PATH|GLOBAL_FOLDER)|COREPACK_.*|BUNDLE_(GEMFILE|PATH|BIN|APP_CONFIG|USER_.*)|COMPOSER_(HOME|BIN_DIR|VENDOR_DIR)|PIP_.*|PIPX_.*|UV_.*|POETRY_(HOME|CONFIG_DIR)|CARGO_(HOME|BUILD_.*|TARGET_.*|ALIAS_.*)|RUSTC.*|RUSTFLAGS|RUSTDOC.*|RUSTUP_.*|(GNU)?MAKEFLAGS|MFLAGS|MAKEFILES|MAKE|CC|CXX|CPP|LD|AR|AS|(C|CXX|CPP|LD)FLAGS|(C|CPLUS)_INCLUDE_PATH|CPATH|LIBRARY_PATH|COMPILER_PATH|GCC_EXEC_PREFIX|CGO_.*|NIX_.*|(MISE|ASDF|PYENV|RBENV|VOLTA|DIRENV)_.*|NVM_DIR|PKG_CONFIG.*|CMAKE_.*|TF_(CLI_.*|PLUGIN_.*|DATA_DIR)|ANSIBLE_.*|HELM_(PLUGINS|(CONFIG|DATA|CACHE)_HOME|REGISTRY_CONFIG|REPOSITORY_.*)|KUBECONFIG|KREW_ROOT)$/i,
  ],
  [
    'git or ssh',
    /^(GIT_.*|SSH_.*|SVN_SSH|SVN_EDITOR|HG(RCPATH|EDITOR|PLAIN)?|CVS_RSH|RSYNC_(RSH|CONNECT_PROG)|GNUPGHOME|PASSWORD_STORE_.*|GH_(HOST|CONFIG_DIR)|GITHUB_(PATH|ENV|OUTPUT))$/i,
  ],
  [
    'Docker or Compose',
    /^((COMPOSE|DOCKER|BUILDKIT|BUILDX|PODMAN)_.*|CONTAINERS_(STORAGE_|REGISTRIES_)?CONF.*|CONTAINER_(HOST|CONNECTION|SSHKEY))$/i,
  ],
  [
    'whom the network trusts',
    /^((.*_)?(https?|no|all|ftp|socks)_proxy|NODE_(TLS_REJECT_UNAUTHORIZED|EXTRA_CA_CERTS|USE_.*)|SSL_CERT_.*|SSLKEYLOGFILE|(CURL|REQUESTS|AWS)_CA_BUNDLE|CURL_(HOME|SSL_.*)|WGETRC|NETRC|DENO_(CERT|TLS_.*)|GRPC_.*|OTEL_.*|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|KRB5.*|CLOUDSDK_.*|AWS_(CONFIG|SHARED_CREDENTIALS)_FILE|GOOGLE_EXTERNAL_ACCOUNT_.*)$/i,
  ],
  ['programs that others start', /^(.*_)?((PASS)?COMMAND|CMD|RSH|(EXECUTABLE|BINARY)(_PATH)?)$/i],
]

/** Names of credentials: they steer nothing, though a family may begin as they do (`SSH_PRIVATE_KEY`, `DOCKER_PASSWORD`). */
const credential = /^(?!STAGELY_).*_(TOKEN|PASSWORD|PASSPHRASE|SECRET|PRIVATE_KEY|API_KEY)$/i

/** What a variable of this name steers; undefined: it is plain data. */
export const steeredBy = (name: string): string | undefined => {
  if (credential.test(name)) return undefined
  const family = families.find(([, names]) => names.test(name))
  return family?.[0] ?? (isGuarded(name) ? 'programs that others start' : undefined)
}

/** Judges every name that a program would see. Of two variables of one name the later one counts. */
export const makeEnvironment = (given: readonly Variable[]): MadeEnvironment => {
  const variables = new Map<string, Variable>()
  const warnings = new Set<string>()
  for (const variable of given) {
    const steers = steeredBy(variable.name)
    if (steers === undefined) variables.set(variable.name, variable)
    else warnings.add(`Warning: ${variable.name} is left out: it steers ${steers}`)
  }
  return { variables: [...variables.values()], warnings: [...warnings] }
}

/** `base` with the variables: each name becomes a property of its own, `__proto__` too. */
export const withVariables = (
  base: Readonly<Record<string, string>>,
  variables: readonly Variable[],
): Record<string, string> =>
  Object.fromEntries([
    ...Object.entries(base),
    ...variables.map(({ name, value }) => [name, value] as const),
  ])
