// receipt: what the controller signs of a revision: who made it, why, and which stagelets run it.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import * as z from 'zod'
import { nodeCrypto } from '../../src/audit/chain.ts'
import { receiptFault, receiptWords, type SignedReceipt } from '../../src/audit/receipt.ts'
import { signedHead } from '../../src/audit/record.ts'
import { readHead } from '../audit/verify-lines.ts'
import { CliError, Exit, usageError } from '../errors.ts'
import { newCommand, newGroup, type CommonFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { openRest, projectPath } from '../rest.ts'
import { parseNumber } from '../secrets/flags.ts'

export const command = (): Command => {
  const group = newGroup(
    'receipt',
    'Prove who changed which keys when, and which stagelets run that: a statement that the controller signs.',
    ['stagely receipt get shop --revision 44 > r44.json', 'stagely receipt verify r44.json'],
  )
  group.addCommand(getCommand())
  group.addCommand(verifyCommand())
  return group
}

const getCommand = (): Command =>
  newCommand('get', 'Print the receipt of a revision, as JSON.', [
    'stagely receipt get shop > newest.json',
    'stagely receipt get shop --revision 44 > r44.json',
  ])
    .argument('<project>', 'project')
    .option('--revision <number>', 'which; else the newest', parseNumber)
    .action(get)

const get = async (
  project: string,
  flags: CommonFlags & { readonly revision?: number },
): Promise<void> => {
  const rest = await openRest(flags)
  const path = projectPath(rest.namespace, project)
  const revision = flags.revision ?? (await rest.call<{ revision: number }>(path)).body.revision
  if (revision === 0) throw usageError(`project "${project}" has no revision yet`)
  const { body } = await rest.call<SignedReceipt>(`${path}/revisions/${revision}/receipt`)
  out(JSON.stringify(body, null, 2))
}

interface VerifyFlags {
  readonly key?: string
  readonly head?: string
}

const verifyCommand = (): Command =>
  newGroup('verify', 'Check a receipt, and say what it says. Needs no controller.', [
    'stagely receipt verify r44.json --head audit.head',
    'stagely receipt get shop | stagely receipt verify -',
  ])
    .argument('<file>', 'a receipt, or - for stdin')
    .option('--key <key>', 'public key that must have signed; else that of --head')
    .option(
      '--head <file>',
      'a head kept elsewhere ("stagely audit head"): its key must have signed',
    )
    .action(verify)

const told = z.object({
  receipt: z.looseObject({
    ...{ team: z.string(), project: z.string(), revision: z.int(), closed_at: z.string() },
    ...{ by: z.array(z.string()), note: z.string().optional(), keys: z.array(z.string()) },
    ...{ written: z.int(), deleted: z.int(), issued_at: z.string(), head: signedHead },
    stagelets: z.array(
      z.looseObject({ name: z.string(), state: z.string(), since: z.string().optional() }),
    ),
  }),
  signature: z.string(),
  public_key: z.string(),
})

const read = async (file: string): Promise<SignedReceipt> => {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    (error: unknown) => {
      throw new CliError(`cannot read ${file}`, 1, error)
    },
  )
  try {
    return told.parse(JSON.parse(content))
  } catch (error) {
    throw new CliError(`${file} holds no receipt: get one with "stagely receipt get"`, 2, error)
  }
}

const verify = async (file: string, { key, head }: VerifyFlags): Promise<void> => {
  const receipt = await read(file)
  const known = key ?? (head === undefined ? undefined : (await readHead(head)).public_key)
  const fault = await receiptFault(nodeCrypto, receipt, known)
  if (fault !== undefined) {
    note(`The receipt does NOT hold: ${fault}.`)
    throw new Exit(1)
  }
  out([...receiptWords(receipt), `Signed with the key ${receipt.public_key}.`].join('\n'))
  if (known === undefined)
    note(
      'Give --head with a head kept elsewhere to see whether the key is that of your controller.',
    )
}
