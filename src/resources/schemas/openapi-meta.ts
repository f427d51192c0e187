// Schemas of the parts that every object has, for OpenAPI and `kubectl explain`.
import { structuralSchema, type Schema } from './crd.ts'
import { ownerReferences } from '../owner-references.ts'

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

export const objectMetaSchema: Schema = {
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
      'x-kubernetes-patch-strategy': 'merge',
    },
    ownerReferences: structuralSchema(ownerReferences, 'metadata.ownerReferences'),
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
}

export const metaSchemas: Readonly<Record<string, Schema>> = {
  [`${prefix}.Time`]: { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC.' },
  [`${prefix}.ObjectMeta`]: objectMetaSchema,
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
  [`${prefix}.ListMeta`]: {
    type: 'object',
    description: 'What every list has.',
    properties: {
      resourceVersion: text('Version at which the list was so: a watch goes on from it.'),
      continue: text('Token of the next page; absent on the last one.'),
      remainingItemCount: int64('How many objects come after this page, where that is known.'),
    },
  },
  [`${prefix}.Status`]: {
    type: 'object',
    description: 'How a request ended that has no object to show.',
    properties: {
      apiVersion: text('Always v1.'),
      kind: text('Always Status.'),
      metadata: { description: 'Where an expired list goes on.', allOf: [refTo('ListMeta')] },
      status: text('Success or Failure.'),
      message: text('For people.'),
      reason: text('One word for programs.'),
      code: { type: 'integer', format: 'int32', description: 'The HTTP status.' },
      details: {
        type: 'object',
        description: 'What it is about.',
        properties: {
          name: text('Name of the object.'),
          group: text('Its group.'),
          kind: text('Its kind, or the plural of it.'),
          uid: text('Its uid.'),
          retryAfterSeconds: int64('When another try may succeed.'),
          causes: {
            type: 'array',
            description: 'Every fault, each with its field.',
            items: {
              type: 'object',
              description: 'One fault.',
              properties: {
                field: text('The field, as a path.'),
                reason: text('One word for programs.'),
                message: text('For people.'),
              },
            },
          },
        },
      },
    },
  },
  [`${prefix}.DeleteOptions`]: {
    type: 'object',
    description: 'How to delete.',
    properties: {
      apiVersion: text('Version of these options.'),
      kind: text('Always DeleteOptions.'),
      dryRun: {
        type: 'array',
        description: 'All: check everything, and delete nothing.',
        items: { type: 'string' },
      },
      gracePeriodSeconds: int64('Taken and without an effect.'),
      orphanDependents: { type: 'boolean', description: 'Taken and without an effect.' },
      propagationPolicy: text('Orphan, Background or Foreground. Taken and without an effect.'),
      preconditions: {
        type: 'object',
        description: 'What must be so of the object.',
        properties: { uid: text('Its uid.'), resourceVersion: text('Its version.') },
      },
    },
  },
  [`${prefix}.WatchEvent`]: {
    type: 'object',
    description: 'One change, as a line of JSON.',
    required: ['type', 'object'],
    properties: {
      type: text('ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.'),
      object: { type: 'object', description: 'The object, or the Status of an error.' },
    },
  },
  [`${prefix}.Patch`]: { description: 'A patch in the form that the content type names.' },
}
