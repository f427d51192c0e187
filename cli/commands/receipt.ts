// receipt: what the controller signs of a revision: who made it, why, and which stagelets run it.
import * as z from 'zod'
import { receiptFault, receiptWords, type SignedReceipt } from '../../src/audit/receipt.ts'
import {
  exposure,
  exposureFault,
  exposureWords,
  signedExposure,
  type SignedExposure,
} from '../../src/audit/exposure.ts'
import { signedHead } from '../../src/audit/record.ts'
import { verifyFile, verifyOptions } from '../audit/signed-file.ts'
import { usageError } from '../errors.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { openRest, projectPath } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { openSecret } from '../objects/secret-identity.ts'

export const command = (): Command =>
  newGroup(
    'receipt',
    'Get and verify receipts: signed statements of who changed which keys when, and which stagelets run the revision.',
    ['stagely receipt get shop --revision 44 > r44.json', 'stagely receipt verify r44.json'],
  ).having(getCommand, exposureCommand, verifyCommand)

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

const exposureCommand = (): Command =>
  secretCommand(
    'exposure',
    'Print, as JSON, which containers held a version of a secret when, who read it, and since when it is refused. For auditors.',
    [
      'stagely receipt exposure STRIPE_SECRET_KEY --project shop --scope backend --version 7 > e7.json',
      'stagely receipt verify e7.json',
    ],
  )
    .argument('<key>', 'variable name')
    .requiredOption('--version <number>', 'which version', parseNumber)
    .action(async (key: string, flags: SecretFlags & { readonly version: number }) => {
      const { rest, path } = await openSecret(key, flags)
      const { body } = await rest.call<SignedExposure>(`${path}/versions/${flags.version}/exposure`)
      out(JSON.stringify(body, null, 2))
    })

const verifyCommand = (): Command =>
  verifyOptions(
    newGroup('verify', 'Verify a receipt, and print its content. Needs no controller.', [
      'stagely receipt verify r44.json --head audit.head',
      'stagely receipt get shop | stagely receipt verify -',
    ]),
    'receipt',
  ).action((file: string, flags) =>
    verifyFile<SignedReceipt | SignedExposure>(file, flags as object, {
      noun: 'receipt',
      made: 'stagely receipt get',
      schema: z.union([
        signedReceiptSchema,
        signedExposure.extend({ exposure: exposure.extend({ head: signedHead }).loose() }),
      ]),
      faultOf: (crypto, signed, key) =>
        'exposure' in signed
          ? exposureFault(crypto, signed, key)
          : receiptFault(crypto, signed, key),
      wordsOf: (signed) => ('exposure' in signed ? exposureWords(signed) : receiptWords(signed)),
    }),
  )

const signedReceiptSchema: z.ZodType<SignedReceipt> = z.object({
  receipt: z.looseObject({
    team: z.string(),
    project: z.string(),
    revision: z.int(),
    closed_at: z.string(),
    by: z.array(z.string()),
    note: z.string().optional(),
    keys: z.array(z.string()),
    written: z.int(),
    deleted: z.int(),
    issued_at: z.string(),
    head: signedHead,
    stagelets: z.array(
      z.looseObject({ name: z.string(), state: z.string(), since: z.string().optional() }),
    ),
  }),
  signature: z.string(),
  public_key: z.string(),
})
