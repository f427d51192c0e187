// The part of the environment that Compose gets. It is small and fixed, so that `${VAR}` and bare `-
// VAR` items of the user's file mean the same on every machine, however the agent was started.

export type Environment = Readonly<Record<string, string>>

const passed = /^(PATH|HOME|SSH_AUTH_SOCK|BUILDX_CONFIG|DOCKER_.*|(https?|no|all|ftp)_proxy)$/i

/** The variables that Docker and the network need, and nothing else. */
export const baseEnvironment = (env: Readonly<Record<string, string | undefined>>): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(
      (e): e is [string, string] => passed.test(e[0]) && e[1] !== undefined,
    ),
  )

const guarded =
  /^(PATH|HOME|PWD|USER|SHELL|SHELLOPTS|OPTIND|IFS|ENV|BASH_.*|TMPDIR|SSH_.*|(https?|no|all|ftp)_proxy|(COMPOSE|DOCKER|BUILDKIT|BUILDX|LD|DYLD|OTEL|GIT|GRPC|SSL_CERT)_.*|GO(DEBUG|GC|MEMLIMIT|MAXPROCS|TRACEBACK|COVERDIR)|GLIBC_TUNABLES|GCONV_PATH|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|XDG_.*|PYTHON(PATH|HOME|STARTUP|WARNINGS|BREAKPOINT|USERBASE|PLATLIBDIR)|(PERL5|CLOUDSDK_|PASSWORD_STORE_).*|PERLLIB|RUBY(OPT|LIB)|NODE_(OPTIONS|PATH)|JAVA_TOOL_OPTIONS|GNUPGHOME|AWS_(CONFIG|SHARED_CREDENTIALS)_FILE)$/i

/**
 * True for names that steer Compose, Docker, the dynamic loader, the shell or login helpers: a secret
 * never sets them.
 */
export const isGuarded = (key: string): boolean => guarded.test(key)
