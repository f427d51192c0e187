/** Attributes of a field that takes secrets: neither the browser nor a password manager keeps, corrects or sends it. */
export const secretInput = {
  autocomplete: 'off',
  spellcheck: false,
  autocapitalize: 'off',
  // In this spelling it stays an attribute: where browsers have a property of that name, 'off' counts as true.
  autoCorrect: 'off',
  translate: false,
  'data-1p-ignore': true,
  'data-lpignore': 'true',
  'data-bwignore': true,
  'data-form-type': 'other',
} as const
