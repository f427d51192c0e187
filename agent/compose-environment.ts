// The environment of the Compose process: known and small, so that `${VAR}` and bare `- VAR` items
// of the user's file mean the same on every machine, whatever the agent was started from.
import { isPassable } from './validate-values.ts'

export type Environment = Readonly<Record<string, string>>

const passed = /^(PATH|HOME|SSH_AUTH_SOCK|DOCKER_.*|(https?|no|all|ftp)_proxy)$/i

/** Names that steer Compose, Docker, the loader or the shell: a secret never sets them. */
const guarded =
  /^(PATH|HOME|USER|SHELL|IFS|ENV|BASH_.*|TMPDIR|SSH_.*|(https?|no|all|ftp)_proxy|(COMPOSE|DOCKER|BUILDKIT|BUILDX|LD|DYLD|OTEL|GIT|GRPC|SSL_CERT)_.*|GO(DEBUG|GC|MEMLIMIT|MAXPROCS|TRACEBACK|COVERDIR)|GLIBC_TUNABLES|GCONV_PATH|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|XDG_.*)$/i

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The part of the agent's own environment that Compose gets. */
export const baseEnvironment = (env: Readonly<Record<string, string | undefined>>): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(
      (e): e is [string, string] => passed.test(e[0]) && e[1] !== undefined,
    ),
  )

/** `base` plus the global secrets that may satisfy `${VAR}`. What a process cannot carry is left out. */
export const composeEnvironment = (
  base: Environment,
  globals: readonly { readonly key: string; readonly value: Buffer }[],
): Environment => {
  const result: Record<string, string> = { ...base }
  for (const { key, value } of globals) {
    if (!shellName.test(key) || guarded.test(key) || key in base) continue
    if (isPassable(key, value)) result[key] = value.toString('utf8')
  }
  return result
}
