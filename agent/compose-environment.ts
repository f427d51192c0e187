// The environment of the Compose process: a small base, and the global secrets for `${VAR}`.
import type { Environment } from '../src/compose/environment.ts'
import { isPassable } from './validate-values.ts'

/** Names that steer Compose, Docker, the loader or the shell: a secret never sets them. */
const guarded =
  /^(PATH|HOME|USER|SHELL|IFS|ENV|BASH_.*|TMPDIR|SSH_.*|(https?|no|all|ftp)_proxy|(COMPOSE|DOCKER|BUILDKIT|BUILDX|LD|DYLD|OTEL|GIT|GRPC|SSL_CERT)_.*|GO(DEBUG|GC|MEMLIMIT|MAXPROCS|TRACEBACK|COVERDIR)|GLIBC_TUNABLES|GCONV_PATH|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|XDG_.*)$/i

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

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
