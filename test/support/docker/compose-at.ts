// To open a Compose asks its version, by a process: once for all tests of a worker.
import { openCompose, type Compose } from '../../../src/compose/compose.ts'
import { baseEnvironment } from '../../../src/compose/environment.ts'
import { shortGo } from '../short-go.ts'

const opened = new Map<string | undefined, Promise<Compose>>()

/** The Compose of this path; without one, the machine's. */
export const composeAt = (path?: string): Promise<Compose> => {
  const env = { ...baseEnvironment(process.env), ...shortGo }
  const compose = opened.get(path) ?? openCompose(env, path)
  opened.set(path, compose)
  return compose
}
