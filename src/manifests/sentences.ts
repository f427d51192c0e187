// Our own sentence for each fault code of the parser. The parser's messages quote the source, which may
// hold a secret.
import type { ErrorCode } from 'yaml'

const sentences: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'an alias (*name) has no anchor (&name) before it',
  BAD_COLLECTION_TYPE: 'the tag does not fit the value',
  BAD_DIRECTIVE: 'a %directive is not valid',
  BAD_DQ_ESCAPE: 'a double-quoted text has an escape that YAML does not know; use single quotes',
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'a text begins with a character that YAML reserves; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'two ": " on one line; quote the text that holds the second',
  BLOCK_IN_FLOW: 'a block value stands inside [ ] or { }',
  DUPLICATE_KEY: 'a key is there twice in one map',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters; is a ":" missing?',
  MISSING_CHAR: 'a closing quote, bracket, comma or ":" is missing',
  MULTILINE_IMPLICIT_KEY: 'a key spans several lines; is a ":" missing?',
  MULTIPLE_DOCS: 'a new document must begin with a line of ---',
  TAB_AS_INDENT: 'a tab is used to indent; use spaces',
  TAG_RESOLVE_FAILED: 'a !tag is not supported; for bytes that are not text use valueBase64',
}

/** The parser has one code for both; only its message tells which. */
const openFlow =
  'a [ or { before here is not closed; else what stands in it must be indented deeper than its key'

export const sentenceFor = (code: ErrorCode, message = ''): string => {
  const isFlow = code === 'BAD_INDENT' && message.startsWith('Flow ')
  return `not valid YAML: ${isFlow ? openFlow : (sentences[code] ?? 'the structure is broken here')}`
}
