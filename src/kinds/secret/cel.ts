// Rules between fields of a secret as CEL, for a cluster, and their messages. rules.ts checks the same in code.
import { namedTwice } from '../shared/environment.ts'
import { onlyMade } from './expiry.ts'

export const onlyForFiles = 'only with type: file'
export const fileNeedsPlace = 'a file secret needs file.path or file.target'
export const onlyWritten = 'references goes with a value that is written, not with valueFrom'
export const patternWithRegex = 'pattern goes with format: regex, and only with it'
export const notWithStagelet =
  'a secret is for a stagelet (stageletRef) or for environments, not for both'
export const plainIsGiven = 'a plain value is given as value or valueBase64, and is for services'
export const notForController = 'no service sees a secret with audience: Controller'
const immutable = 'field is immutable; delete the secret and create it anew'

export const secretRules = [
  { rule: "self.type == 'file' || !has(self.file)", message: onlyForFiles, fieldPath: '.file' },
  {
    rule: "self.type != 'file' || (has(self.file) && (has(self.file.path) || has(self.file.target)))",
    message: fileNeedsPlace,
  },
  {
    rule: '[has(self.value), has(self.valueBase64), has(self.sealedValue), has(self.valueFrom)].filter(x, x).size() <= 1',
    message: 'give at most one of value, valueBase64, sealedValue and valueFrom',
  },
  {
    rule: "has(self.pattern) == (has(self.format) && self.format == 'regex')",
    message: patternWithRegex,
  },
  {
    rule: '!has(self.valueFrom) || !has(self.references) || !self.references',
    message: onlyWritten,
  },
  {
    rule: "!has(self.expiry) || !has(self.expiry.onExpiry) || self.expiry.onExpiry != 'Rotate' || (has(self.expiry.after) && has(self.valueFrom) && (has(self.valueFrom.generate) || has(self.valueFrom.rotation)))",
    message: onlyMade,
    fieldPath: '.expiry',
  },
  ...[
    { field: 'sealedValue', given: 'has(self.sealedValue)' },
    { field: 'valueFrom', given: 'has(self.valueFrom)' },
    { field: 'audience', given: "has(self.audience) && self.audience == 'Controller'" },
  ].map(({ field, given }) => ({
    rule: `!has(self.visibility) || self.visibility != 'Plain' || !(${given})`,
    message: plainIsGiven,
    fieldPath: `.${field}`,
  })),
  ...[
    { field: 'scope', given: "self.scope != 'global'" },
    { field: 'stageletRef', given: 'has(self.stageletRef)' },
    { field: 'environments', given: 'has(self.environments)' },
    { field: 'type', given: "self.type == 'file'" },
    { field: 'references', given: 'has(self.references) && self.references' },
  ].map(({ field, given }) => ({
    rule: `!has(self.audience) || self.audience != 'Controller' || !(${given})`,
    message: notForController,
    fieldPath: `.${field}`,
  })),
  {
    rule: '!has(self.environments) || !has(self.stageletRef)',
    message: notWithStagelet,
    fieldPath: '.environments',
  },
  {
    rule: '!has(self.environments) || self.environments.all(x, self.environments.exists_one(y, y == x))',
    message: namedTwice,
    fieldPath: '.environments',
  },
  { rule: 'self.key == oldSelf.key', message: immutable, fieldPath: '.key' },
  {
    rule: 'self.projectRef.name == oldSelf.projectRef.name',
    message: immutable,
    fieldPath: '.projectRef.name',
  },
]
