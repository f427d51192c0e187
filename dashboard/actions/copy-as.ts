// One description of an action, and the commands that do the same in other tools. No form holds a value or a token:
// `curl` reads the token from a variable, and new values come from standard input. Pure.
import { defined } from '../../src/kernel/defined.ts'
import type { ApiRequest } from '../api/request.ts'
import { inputOf, printing, words, yaml, type JsonValue, type Word } from '../api/text.ts'

export interface ApiAction<T = unknown> {
  /** `Pause shop`. */
  readonly name: string
  /** Sent by the button, and by `curl`. */
  readonly request: ApiRequest<T>
  /** Words after `stagely`. */
  readonly stagely?: readonly string[]
  /** The key of the new value that `stagely` reads from standard input, as it is. */
  readonly stagelyReads?: string
  /** Words after `kubectl`. */
  readonly kubectl?: readonly Word[]
  /** Objects as they are afterwards: for files, `kubectl apply` and `stagely apply`. */
  readonly objects?: { readonly namespace: string; readonly list: readonly JsonValue[] }
  /** Words after `kubectl` and `stagely` that delete what is no more. */
  readonly deletes?: {
    readonly kubectl: readonly string[]
    readonly stagely: readonly (readonly string[])[]
  }
}

export interface CopiedTexts {
  readonly yaml?: string
  readonly kubectl?: string
  readonly stagely?: string
  readonly curl: string
}

const withInput = (input: string | undefined, command: string): string =>
  input === undefined ? command : `# standard input: ${input}\n${command}`

const curlOf = ({ request: { method, path, body } }: ApiAction, origin: string): string => {
  const options = [
    ...['curl', '-sS', '--fail-with-body', '--cacert', 'ca.crt', '-X', method.toUpperCase()],
    ...(body === undefined ? [] : ['-H', 'Content-Type: application/json', '--data-binary', '@-']),
  ]
  const curl = `${words(options)} -H "Authorization: Bearer $STAGELY_TOKEN" \\\n  ${words([`${origin}/api/v1${path}`])}`
  if (body === undefined) return curl
  return withInput(inputOf(body), `${printing(body)} |\n  ${curl}`)
}

/** Several objects are one text for `apply`: a List in JSON, documents in YAML. */
const listOf = (objects: readonly JsonValue[]): JsonValue =>
  objects.length === 1 ? (objects[0] ?? null) : { apiVersion: 'v1', kind: 'List', items: objects }

const applyWith = (
  program: 'kubectl' | 'stagely',
  { objects, deletes }: ApiAction,
): string | undefined => {
  const commands: string[] = []
  if (objects !== undefined && objects.list.length > 0) {
    const text = listOf(objects.list)
    const apply = words([program, 'apply', '-n', objects.namespace, '-f', '-'])
    commands.push(withInput(inputOf(text), `${printing(text)} |\n  ${apply}`))
  }
  const deletions = program === 'kubectl' ? deletes && [deletes.kubectl] : deletes?.stagely
  for (const list of deletions ?? []) commands.push(words([program, ...list]))
  return commands.length === 0 ? undefined : commands.join(' &&\n')
}

const stagelyOf = (action: ApiAction): string | undefined => {
  const { stagely, stagelyReads: key } = action
  if (stagely === undefined) return applyWith('stagely', action)
  const input = key === undefined ? undefined : `the value of ${key}`
  return withInput(input, words(['stagely', ...stagely]))
}

/** YAML says what is there, and deletes nothing: the deletion is a comment. */
const yamlOf = ({ objects, deletes }: ApiAction): string | undefined => {
  const documents = (objects?.list ?? []).map((object) => yaml(object))
  if (deletes !== undefined) {
    const command = words(['kubectl', ...deletes.kubectl])
    const comment = `# YAML deletes nothing. Delete the others beside it:\n#   ${command}\n`
    return `${documents.join('---\n')}${comment}`
  }
  return documents.length === 0 ? undefined : documents.join('---\n')
}

/** `origin`: the address of the controller. */
export const copiedTexts = (action: ApiAction, origin: string): CopiedTexts => ({
  ...defined({
    yaml: yamlOf(action),
    kubectl:
      action.kubectl === undefined
        ? applyWith('kubectl', action)
        : words(['kubectl', ...action.kubectl]),
    stagely: stagelyOf(action),
  }),
  curl: curlOf(action, origin),
})
