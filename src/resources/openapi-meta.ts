// Schemas of what every object has, as OpenAPI shows them and `kubectl explain` prints them.
import type { Schema } from './crd.ts'

const prefix = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${prefix}.${name}` })

const text = (description: string): Schema => ({ type: 'string', description })
const time = (description: string): Schema => ({ description, allOf: [refTo('Time')] })
const texts = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
})
const int64 = (description: string): Schema => ({ type: 'integer', format: 'int64', description })

export const metaSchemas: Readonly<Record<string, Schema>> = {
  [`${prefix}.Time`]: { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC.' },
  [`${prefix}.ObjectMeta`]: {
    type: 'object',
    description: 'What every object has.',
    properties: {
      name: text('Name, unique among the objects of the kind in the namespace. Does not change.'),
      generateName: text('Beginning of a name that the server completes, where no name is given.'),
      namespace: text('The team that the object belongs to. Does not change.'),
      labels: texts('What objects are selected by.'),
      annotations: texts('Notes that nobody selects by.'),
      finalizers: {
        type: 'array',
        description: 'Who must let go before a deleted object is gone.',
        items: { type: 'string' },
        'x-kubernetes-list-type': 'set',
      },
      uid: text('Tells objects apart that had one name after another. Set by the server.'),
      resourceVersion: text('Version of the object; greater is newer. Set by the server.'),
      generation: int64('Rises with each change of spec. Set by the server.'),
      creationTimestamp: time('When the object was made. Set by the server.'),
      deletionTimestamp: time('When deletion was asked for, where finalizers are left.'),
      deletionGracePeriodSeconds: int64('Always 0 where deletion was asked for.'),
      managedFields: {
        type: 'array',
        description: 'Who owns which field; kept by the server.',
        items: { allOf: [refTo('ManagedFieldsEntry')] },
        'x-kubernetes-list-type': 'atomic',
      },
    },
  },
  [`${prefix}.ManagedFieldsEntry`]: {
    type: 'object',
    description: 'Fields that one manager owns.',
    properties: {
      manager: text('Name of the manager: a program or a person.'),
      operation: text('Apply, or Update for any other write.'),
      apiVersion: text('Version of the schema that the fields are named by.'),
      time: time('When the manager last changed what it owns.'),
      fieldsType: text('Always FieldsV1.'),
      fieldsV1: { description: 'The fields.', allOf: [refTo('FieldsV1')] },
      subresource: text('status where the fields came in by that door.'),
    },
  },
  [`${prefix}.FieldsV1`]: { type: 'object', description: 'A set of fields, each under its name.' },
}
