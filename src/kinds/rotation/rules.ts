// Rules about several fields of a Rotation's spec. A spec may have faults elsewhere.
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { durationMs, isDuration } from '../../resources/duration.ts'
import { isTimezone } from './window.ts'
import { awayNeedsTime, oneRotator, rotatorNames, type RotatorName } from './schema.ts'
import { differentSlots, onePlace } from './rotators.ts'

type Fields = Record<string, unknown>

const invalid = (field: string, message: string): Fault => ({
  field: `spec.${field}`,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${message}`,
})
const forbidden = (field: string, message: string): Fault => ({
  field: `spec.${field}`,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${message}`,
})
const required = (field: string, message: string): Fault => ({
  field: `spec.${field}`,
  reason: 'FieldValueRequired',
  message: `Required value: ${message}`,
})

/** The outputs of a rotator; absent: any that it answers. */
const outputsOf: Readonly<Partial<Record<RotatorName, readonly string[]>>> = {
  postgres: ['username', 'password'],
  mariadb: ['username', 'password'],
  redis: ['password'],
  awsIam: ['accessKeyId', 'secretAccessKey'],
  generate: ['current', 'previous', 'list'],
}
const mayLack = new Set(['previous', 'list'])
const slotFields = { postgres: 'roles', mariadb: 'users' } as const
const hasSlots = (name: RotatorName): name is keyof typeof slotFields => name in slotFields
/** Databases, which an agent is beside. */
const databases = new Set<RotatorName>(['postgres', 'mariadb', 'redis'])

const rotatorOf = (spec: Fields): RotatorName | undefined => {
  const { rotator } = spec
  return isRecord(rotator) ? rotatorNames.find((name) => rotator[name] !== undefined) : undefined
}

const checkOutputs = ({ outputs, inPlace }: Fields, rotator: RotatorName): Fault[] => {
  if (!isRecord(outputs)) return []
  const names = Object.keys(outputs)
  const possible = outputsOf[rotator]
  if (names.length === 0) return [required('outputs', 'name the secret of one output at least')]
  const strange = (
    possible === undefined ? [] : names.filter((name) => !possible.includes(name))
  ).map((name) => forbidden(`outputs.${name}`, `${rotator} makes ${possible?.join(', ') ?? ''}`))
  const missing = (possible ?? [])
    .filter((name) => !names.includes(name) && !mayLack.has(name))
    .filter((name) => !(name === 'username' && inPlace === true))
    .map((name) => required(`outputs.${name}`, `${rotator} changes it at each turn`))
  const twice = names.filter((name, i) =>
    names.some((other, j) => j < i && outputs[other] === outputs[name]),
  )
  return [
    ...strange,
    ...missing,
    ...twice.map((name) => invalid(`outputs.${name}`, 'another output has the same secret')),
  ]
}

const checkSlots = (own: Fields, rotatorPath: string, field: string, inPlace: boolean): Fault[] => {
  const slots = own[field]
  if (!Array.isArray(slots)) return []
  const path = `${rotatorPath}.${field}`
  const equal = slots.length > 1 && slots[0] === slots[1] ? [invalid(path, differentSlots)] : []
  const count = inPlace ? 1 : 2
  const counted =
    slots.length === count
      ? []
      : [
          inPlace
            ? invalid(path, 'with inPlace there is one login: give its name alone')
            : invalid(path, 'two take turns: give two names (or inPlace: true, with one)'),
        ]
  const reserved = ['owner', 'adopt']
    .filter((name) => own[name] !== undefined && (slots as unknown[]).includes(own[name]))
    .map((name) => invalid(path, `"${String(own[name])}" is ${name}, and cannot take turns`))
  return [...new Map([...equal, ...counted, ...reserved].map((f) => [f.message, f])).values()]
}

/** The schema of the others knows one place alone. */
const checkPlace = (own: Fields, rotatorPath: string): Fault[] => {
  const isIn = own['in'] !== undefined
  if (isIn !== (own['at'] !== undefined)) return []
  return isIn ? [forbidden(rotatorPath, onePlace)] : [required(rotatorPath, onePlace)]
}

/** Rules of one rotator. */
const checkOwn = (spec: Fields, name: RotatorName): Fault[] => {
  const own = (spec.rotator as Fields)[name]
  if (!isRecord(own) || !databases.has(name)) return []
  const rotatorPath = `rotator.${name}`
  return [
    ...(name === 'postgres' ? checkPlace(own, rotatorPath) : []),
    ...(hasSlots(name)
      ? checkSlots(own, rotatorPath, slotFields[name], spec.inPlace === true)
      : []),
  ]
}

const onlyInPlace = 'only postgres and mariadb can change a password in place'

const checkRotator = (spec: Fields): Fault[] => {
  const { rotator } = spec
  if (!isRecord(rotator)) return []
  const given = rotatorNames.filter((name) => rotator[name] !== undefined)
  const [first, ...more] = given
  if (first === undefined) return [required('rotator', oneRotator)]
  const own = given.flatMap((name) => checkOwn(spec, name))
  if (more.length > 0)
    return [...more.map((name) => forbidden(`rotator.${name}`, oneRotator)), ...own]
  return [
    ...own,
    ...(spec.inPlace === true && !hasSlots(first) ? [forbidden('inPlace', onlyInPlace)] : []),
    ...checkOutputs(spec, first),
  ]
}

const checkSchedule = ({ schedule, overlap = '10m' }: Fields): Fault[] => {
  if (!isRecord(schedule)) return []
  const { every, window } = schedule
  const short =
    isDuration(every) && isDuration(overlap) && durationMs(every) <= durationMs(overlap)
      ? [invalid('schedule.every', `it must be longer than the overlap, ${overlap}`)]
      : []
  if (!isRecord(window)) return short
  const { from, to, timezone } = window
  const never =
    typeof from === 'string' && from === to
      ? [invalid('schedule.window.to', `the window never opens: it is from ${from} to ${from}`)]
      : []
  const zone =
    typeof timezone === 'string' && timezone !== '' && !isTimezone(timezone)
      ? [invalid('schedule.window.timezone', 'no such time zone; give one such as Europe/Berlin')]
      : []
  return [...short, ...never, ...zone]
}

const checkAway = ({ away, revokeAfter }: Fields): Fault[] => {
  if ((away === 'RevokeAfter') === (revokeAfter !== undefined)) return []
  return revokeAfter === undefined
    ? [required('revokeAfter', awayNeedsTime)]
    : [forbidden('revokeAfter', awayNeedsTime)]
}

/** Rules that the schema cannot express, all at once. */
export const checkRotation = (spec: Fields): Fault[] => [
  ...checkRotator(spec),
  ...checkSchedule(spec),
  ...checkAway(spec),
]

/** The rotator of a spec that is good. */
export const rotatorNameOf = (spec: { readonly rotator: object }): RotatorName =>
  rotatorOf(spec) ?? 'generate'
