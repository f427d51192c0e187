// One description of what somebody does, and the commands that do the same in other tools. No form holds a value or a
// token: `curl` reads the token from a variable, and new values come from standard input. Pure.
import { defined } from '../../src/kernel/defined.ts'
import { inputOf, printing, words, yaml, type Json, type Word } from './text.ts'

export interface Doing {
  /** `Pause shop`. */
  readonly name: string
  readonly rest: {
    readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
    /** Below /api/v1, its parts encoded. */
    readonly path: string
    readonly body?: Json
  }
  /** Words after `stagely`; `reads`: it reads the new value from standard input, as it is. */
  readonly stagely?: { readonly words: readonly string[]; readonly reads?: string }
  /** Words after `kubectl`. */
  readonly kubectl?: readonly Word[]
  /** Objects as they are afterwards: for files, `kubectl apply` and `stagely apply`. */
  readonly objects?: { readonly namespace: string; readonly list: readonly Json[] }
  /** Words after `kubectl` and `stagely` that delete what is no more. */
  readonly deletes?: {
    readonly kubectl: readonly string[]
    readonly stagely: readonly (readonly string[])[]
  }
}

export interface Forms {
  readonly yaml?: string
  readonly kubectl?: string
  readonly stagely?: string
  readonly curl: string
}

const told = (input: string | undefined, command: string): string =>
  input === undefined ? command : `# standard input: ${input}\n${command}`

const curlOf = ({ rest: { method, path, body } }: Doing, origin: string): string => {
  const options = [
    ...['curl', '-sS', '--fail-with-body', '--cacert', 'ca.crt', '-X', method],
    ...(body === undefined ? [] : ['-H', 'Content-Type: application/json', '--data-binary', '@-']),
  ]
  const curl = `${words(options)} -H "Authorization: Bearer $STAGELY_TOKEN" \\\n  ${words([`${origin}/api/v1${path}`])}`
  if (body === undefined) return curl
  return told(inputOf(body), `${printing(body)} |\n  ${curl}`)
}

/** Several objects are one text for `apply`: a List in JSON, documents in YAML. */
const applied = (list: readonly Json[]): Json =>
  list.length === 1 ? (list[0] ?? null) : { apiVersion: 'v1', kind: 'List', items: list }

const applyWith = (program: string, { objects, deletes }: Doing): string | undefined => {
  const parts: string[] = []
  const isKubectl = program === 'kubectl'
  if (objects !== undefined && objects.list.length > 0) {
    const text = applied(objects.list)
    const apply = words([program, 'apply', '-n', objects.namespace, '-f', '-'])
    parts.push(told(inputOf(text), `${printing(text)} |\n  ${apply}`))
  }
  if (deletes !== undefined)
    for (const list of isKubectl ? [deletes.kubectl] : deletes.stagely)
      parts.push(words([program, ...list]))
  return parts.length === 0 ? undefined : parts.join(' &&\n')
}

const stagelyOf = (doing: Doing): string | undefined => {
  const { stagely } = doing
  if (stagely === undefined) return applyWith('stagely', doing)
  const input = stagely.reads === undefined ? undefined : `the value of ${stagely.reads}`
  return told(input, words(['stagely', ...stagely.words]))
}

const kubectlOf = (doing: Doing): string | undefined =>
  doing.kubectl === undefined ? applyWith('kubectl', doing) : words(['kubectl', ...doing.kubectl])

/** YAML says what is there, and deletes nothing: what deletes is a comment. */
const yamlOf = ({ objects, deletes }: Doing): string => {
  const documents = (objects?.list ?? []).map((object) => yaml(object)).join('---\n')
  if (deletes === undefined) return documents
  return `${documents}# YAML deletes nothing. Delete the others beside it:\n#   ${words(['kubectl', ...deletes.kubectl])}\n`
}

/** `origin`: the address of the controller. */
export const formsOf = (doing: Doing, origin: string): Forms => {
  const [kubectl, stagely] = [kubectlOf(doing), stagelyOf(doing)]
  const text = yamlOf(doing)
  return {
    ...(text !== '' && { yaml: text }),
    ...defined({ kubectl, stagely }),
    curl: curlOf(doing, origin),
  }
}

/** An id of REST made of names. */
export const idOf = (team: string, name: string): string => encodeURIComponent(`${team}/${name}`)
