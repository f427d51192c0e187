// Rules about several fields of a StagelySecret's spec.
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { faultsOfTwice } from '../shared/environment.ts'
import { checkExpiry } from './expiry.ts'
import { checkValue, valueBytes, waysToGive, type ValueRule } from './value.ts'
import {
  fileNeedsPlace,
  notForController,
  notWithStagelet,
  onlyForFiles,
  onlyWritten,
  patternWithRegex,
  plainIsGiven,
} from './cel.ts'
import { patternFault } from './value-format.ts'
import { formats, notWithKeypair, oneOrigin, plainKey } from './value-source.ts'
import { forbiddenField } from '../../resources/validation/faults.ts'

type Fields = Record<string, unknown>

const checkSecretFile = (spec: Fields): Fault[] => {
  if (spec.type !== 'file') {
    return spec.file === undefined ? [] : [forbiddenField('spec.file', onlyForFiles)]
  }
  const file = isRecord(spec.file) ? spec.file : {}
  const placed = typeof file.path === 'string' || typeof file.target === 'string'
  if (placed) return []
  const message = `Required value: ${fileNeedsPlace}`
  return [{ field: 'spec.file.path', reason: 'FieldValueRequired', message }]
}

/** Fields that say which service sees the value, and as what. */
const checkAudience = (spec: Fields): Fault[] => {
  if (spec.audience !== 'Controller') return []
  const given = [
    spec.scope !== undefined && spec.scope !== 'global' ? 'scope' : undefined,
    spec.stageletRef === undefined ? undefined : 'stageletRef',
    spec.environments === undefined ? undefined : 'environments',
    spec.type === 'file' ? 'type' : undefined,
    spec.references === true ? 'references' : undefined,
    isRecord(spec.valueFrom) && spec.valueFrom.secretRef !== undefined
      ? 'valueFrom.secretRef'
      : undefined,
  ].filter((name) => name !== undefined)
  return given.map((name) => forbiddenField(`spec.${name}`, notForController))
}

/** Whoever may write, but not reveal, must not show what was sealed for this secret, or what comes from elsewhere. */
const checkVisibility = ({ visibility, sealedValue, valueFrom, audience }: Fields): Fault[] => {
  if (visibility !== 'Plain') return []
  const given = [
    sealedValue === undefined ? undefined : 'sealedValue',
    valueFrom === undefined ? undefined : 'valueFrom',
    audience === 'Controller' ? 'audience' : undefined,
  ].filter((name) => name !== undefined)
  return given.map((name) => forbiddenField(`spec.${name}`, plainIsGiven))
}

const checkEnvironments = ({ environments, stageletRef }: Fields): Fault[] => [
  ...(environments !== undefined && stageletRef !== undefined
    ? [forbiddenField('spec.environments', notWithStagelet)]
    : []),
  ...faultsOfTwice(environments, 'spec.environments'),
]

const checkPattern = ({ format, pattern }: Fields): Fault[] => {
  if (format !== 'regex') {
    return pattern === undefined ? [] : [forbiddenField('spec.pattern', patternWithRegex)]
  }
  const field = 'spec.pattern'
  if (typeof pattern !== 'string') {
    return [{ field, reason: 'FieldValueRequired', message: `Required value: ${patternWithRegex}` }]
  }
  const wrong = patternFault(pattern)
  if (wrong === undefined) return []
  return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: it ${wrong}` }]
}

const checkExternal = ({ key }: Fields): Fault[] => {
  const parts = typeof key === 'string' ? key.split('/') : []
  return parts.some((part) => part === '.' || part === '..')
    ? [forbiddenField('spec.valueFrom.external.key', plainKey)]
    : []
}

const checkValueFrom = (from: unknown): Fault[] => {
  if (!isRecord(from)) return []
  const { generate, secretRef, kubernetesSecret, rotation, external } = from
  const ways = [generate, secretRef, kubernetesSecret, rotation, external]
  if (ways.filter((given) => given !== undefined).length !== 1)
    return [forbiddenField('spec.valueFrom', oneOrigin)]
  if (isRecord(external)) return checkExternal(external)
  if (!isRecord(generate) || generate.keypair === undefined) return []
  return ['length', 'charset']
    .filter((name) => generate[name] !== undefined)
    .map((name) => forbiddenField(`spec.valueFrom.generate.${name}`, notWithKeypair))
}

/**
 * The rule for the value of a spec that may have faults elsewhere: a field of the wrong type counts as
 * absent.
 */
const ruleOf = (spec: Fields): ValueRule => {
  const { type, key, pattern } = spec
  const format = formats.find((name) => name === spec.format)
  const base: ValueRule = {
    type: type === 'file' ? 'file' : 'env',
    key: typeof key === 'string' ? key : '',
    references: spec.references === true,
  }
  if (format !== 'regex') return { ...base, format }
  const usable = typeof pattern === 'string' && patternFault(pattern) === undefined
  return usable ? { ...base, format, pattern } : base
}

/**
 * Checks the rules that the schema cannot express. `spec` holds null only for a value. A message never
 * repeats a value.
 */
export const checkSecret = (spec: Fields): Fault[] => {
  const faults = [
    ...checkSecretFile(spec),
    ...checkAudience(spec),
    ...checkVisibility(spec),
    ...checkEnvironments(spec),
    ...checkExpiry(spec),
    ...checkPattern(spec),
    ...checkValueFrom(spec.valueFrom),
    ...(spec.references === true && spec.valueFrom !== undefined
      ? [forbiddenField('spec.references', onlyWritten)]
      : []),
  ]
  const sources = waysToGive.filter((name) => spec[name] !== undefined)
  if (sources.length > 1) {
    const [first = '', ...others] = sources
    const message = `give at most one of value, valueBase64, sealedValue and valueFrom; ${first} is given as well`
    return [...faults, ...others.map((name) => forbiddenField(`spec.${name}`, message))]
  }
  const field = spec.value === undefined ? 'spec.valueBase64' : 'spec.value'
  if (field === 'spec.valueBase64' && typeof spec.valueBase64 === 'string') {
    // One base64 digit alone is no byte: Buffer would drop it silently.
    if (spec.valueBase64.replace(/[\s=]/g, '').length % 4 === 1) {
      const message = 'Invalid value: must be standard base64'
      return [...faults, { field, reason: 'FieldValueInvalid', message }]
    }
  }
  const bytes = valueBytes(spec)
  return bytes === undefined ? faults : [...faults, ...checkValue(ruleOf(spec), bytes, field)]
}
