// Portainer: the variables of a stack, and its compose file.
// API: docs.portainer.io/api/access, "StackList" and "StackFileInspect".
import { isRecord } from '../../src/kernel/record.ts'
import { CliError } from '../errors.ts'
import { keyFrom, openTool, type ToolAddress } from './ask.ts'
import { makeSource, type StackSource } from './environment.ts'

const name = 'Portainer'

const textAt = (value: unknown, field: string): string | undefined => {
  const text = isRecord(value) ? value[field] : undefined
  return typeof text === 'string' ? text : undefined
}

export const readPortainer = async (stack: string, address: ToolAddress): Promise<StackSource> => {
  const ask = await openTool(name, address, { 'x-api-key': keyFrom('PORTAINER_API_KEY') })
  const stacks = await ask('/api/stacks')
  const all = Array.isArray(stacks) ? stacks.filter(isRecord) : []
  const found = all.filter((entry) => textAt(entry, 'Name') === stack)
  if (found.length !== 1) {
    const names = [...new Set(all.flatMap((entry) => textAt(entry, 'Name') ?? []))].sort()
    const has = names.length === 0 ? 'none that this key may see' : names.join(', ')
    throw new CliError(
      `${name} has ${found.length === 0 ? 'no stack' : `${found.length} stacks`} "${stack}"; it has ${has}`,
    )
  }
  const { Id: id, Env: env } = found[0]!
  const pairs = (Array.isArray(env) ? env : []).flatMap((pair: unknown) => {
    const [key, value] = [textAt(pair, 'name'), textAt(pair, 'value')]
    return key === undefined || value === undefined ? [] : [[key, value] as const]
  })
  return makeSource(
    name,
    pairs,
    textAt(await ask(`/api/stacks/${Number(id)}/file`), 'StackFileContent'),
  )
}
