// Values, for people with the right. Each reading is audited.
import type { SecretValue } from '../../src/generated/rest-types.ts'
import { post, projectPath, type RestClient } from '../connect/rest.ts'
import { entryText } from '../formats/entries.ts'

interface RevealQuery {
  /** Only what this service sees: one value for each key. */
  readonly service?: string | undefined
  readonly scope?: string | undefined
  readonly stagelet?: string | undefined
  /** As in this environment. */
  readonly environment?: string | undefined
  readonly as_written?: boolean
  /** The purpose, for the audit. */
  readonly way: 'export' | 'run'
}

export const revealAll = async (
  rest: RestClient,
  project: string,
  query: RevealQuery,
): Promise<SecretValue[]> => {
  const path = `${projectPath(rest.namespace, project)}/reveal`
  return (await post<{ secrets: SecretValue[] }>(rest, path, query)).secrets
}

/** `secret`: its path. */
export const revealOne = (
  rest: RestClient,
  secret: string,
  what: { version?: number | undefined; as_written?: boolean | undefined },
): Promise<SecretValue> => post(rest, `${secret}/reveal`, what)

export const bytesOf = ({ value, value_base64: base64 }: SecretValue): Buffer =>
  base64 === undefined ? Buffer.from(value ?? '') : Buffer.from(base64, 'base64')

/** undefined when the bytes are not text. */
export const revealedText = (secret: SecretValue): string | undefined => entryText(bytesOf(secret))
