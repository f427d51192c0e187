// Short words for what a service of a stack that looks like a published one runs: in the flow style of
// YAML, `db: {CHECKED, volumes: [db:/data]}` is a service that idles and has a health check.
import type { PeopleStack } from './docker/people-stacks.ts'
import { testImage } from './docker/stack.ts'

const image = `image: ${testImage}`
const idles = `${image}, command: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"]`
/** Often while it comes up, seldom after: hundreds of checks in a second would be the load. */
const check =
  'healthcheck: {test: ["CMD", "true"], interval: 20s, start_period: 20s, start_interval: 300ms, retries: 5}'

const words: Readonly<Record<string, string>> = {
  CHECKED: `${idles}, ${check}`,
  CHECK: check,
  RUN: idles,
  IMAGE: image,
  JOB: `${image}, command: ["sh", "-c", "true"]`,
}

const spelled = (text: string): string =>
  text.replace(/\b(CHECKED|CHECK|RUN|IMAGE|JOB)\b/g, (word) => words[word]!)

/** `service`: gets a secret of its own; `files`: beside `docker-compose.yml`. */
export const stackOf = (
  name: string,
  service: string,
  text: string,
  files: Readonly<Record<string, string>> = {},
): PeopleStack => {
  const all = { 'docker-compose.yml': text, ...files }
  const entries = Object.entries(all).map(([path, t]) => [path, spelled(t)] as const)
  return { name, service, files: Object.fromEntries(entries) }
}
