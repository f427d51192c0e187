// What an output of kubectl says, without what differs from run to run and from kind to kind: whose
// columns, which ages, which fields of the schema.

const isVerdict =
  /^(\S+ "[^"]+" (?:force )?deleted|\S+\/\S+ (?:created|configured|unchanged|serverside-applied|replaced|patched|edited|labeled|unlabeled|annotated|pruned|condition met|not labeled)|namespace "[^"]+" deleted)/
const isComplaint =
  /^(Error from server(?: \(\w+\))?:|Unable to connect to the server: (?:getting .*|tls: .*certificate (?:is|signed by) \w+)|couldn't get current server API group list|error: (?:You must be logged in|EOF|error validating|error retrieving RESTMappings|invalid parent reference|couldn't find resource|the selfsubjectreviews API is not enabled|no kind|Metrics|timed out|Apply failed|resource mapping|'|application|the server doesn't|stagelets\.)|The \w+ (?:"[^"]+" )?is invalid|Warning: \w+|No resources found|Edit cancelled|yes$|no(?: - .*)?$)/
/** What a client says that does not get as far as its command. */
const logged = /^E\d{4} \S+ +\d+ memcache\.go:\d+\] "Unhandled Error" err="/
/** `-o name`, versions, who one is, the call of a plugin, and what `describe`, `explain` and `diff` say of the object and not of its fields. */
const isPlain =
  /^(?:(?:namespace|[a-z]+\.[a-z.]+)\/(?!v\d)[a-z0-9.-]+|Name: .*|Events:.*|Username\s.*|\s+"gitVersion": .*|call pid=N .*|(?:GROUP|KIND|VERSION|FIELD|RESOURCE): .*)$/
/** Of a diff what is added and taken away: the field, and not its value. */
const isSigned = /^([+-])(?: {2,})?(?:- )?([A-Za-z][\w./-]*):/

/** Kind and name of a JSON document, or of what it lists. */
const isHead = /^(?:(?: {4}| {12})"(kind)"|(?: {8}| {16})"(name)"): "([^"]+)"/

const withoutNoise = (line: string): string =>
  line
    .replace(/shop-[a-z0-9]{5}\b/, 'shop-*')
    .replace(/tmp\S*/g, 'tmp')
    .replace(/127\.0\.0\.1:\d+/, 'SERVER')
    .replace(/v\d+\.\d+\.\d+\S*/, 'VERSION')
const squeezed = (line: string): string => withoutNoise(line.trim().replaceAll(/\s+/g, ' '))

const factsOfLine = (line: string): string[] => {
  if (/^kind: \w+$/.test(line)) return [line]
  const quoted = isHead.exec(line)
  if (quoted !== null) return [`${quoted[1] ?? quoted[2]!}: ${quoted[3]!}`]
  if (isVerdict.test(line)) return [withoutNoise(line)]
  const complaint = isComplaint.exec(line)
  if (complaint !== null) return [complaint[1]!]
  if (isPlain.test(line)) return [squeezed(line)]
  const signed = isSigned.exec(line)
  if (signed !== null) return [`diff ${signed[1]!} ${signed[2]!}`]
  if (!/^\{"(?:apiVersion|kind|openapi|paths)"/.test(line)) return []
  return [`document ${/"kind":"(\w+List)"/.exec(line)?.[1] ?? ''}`.trim()]
}

/** Tables by their heading, and which columns say what a row is of. */
const headings: readonly (readonly [RegExp, readonly [number, number]])[] = [
  [/^NAME\b/, [0, 1]],
  [/^(?:NAMESPACE|EVENT) +NAME\b/, [0, 2]],
  [/^LAST SEEN +TYPE\b/, [1, 4]],
]

const factsOfLines = (stdout: string): string[] => {
  const facts: string[] = []
  let columns: readonly [number, number] | undefined
  for (const line of stdout.split('\n')) {
    const heading = headings.find(([pattern]) => pattern.test(line))
    if (line === '') columns = undefined
    else if (heading !== undefined) columns = heading[1]
    else {
      const found = factsOfLine(line)
      facts.push(...found)
      if (found.length === 0 && columns !== undefined && /^\S/.test(line) && !/^\w+:/.test(line))
        facts.push(
          `row ${line
            .split(/ +/)
            .slice(...columns)
            .join(' ')}`,
        )
    }
  }
  return facts
}

/** What no other form knows, where it is short: a template, a path, columns of one's own. */
const verbatim = (stdout: string): string[] => {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '')
  return lines.length <= 8 && lines.every((line) => line.length <= 120) ? lines.map(squeezed) : []
}

/** Facts in order: verdicts as they are, complaints by their beginning, tables by their names, documents by kind. */
export const meaningOf = (stdout: string, stderr: string): string[] => {
  if (`${stdout}${stderr}`.trim() === '') return ['nothing']
  const said = factsOfLines(stdout)
  const complaints = stderr.split('\n').flatMap((line) => {
    const complaint = isComplaint.exec(line.replace(logged, ''))
    return complaint === null ? [] : [withoutNoise(complaint[1]!)]
  })
  return [...(said.length === 0 ? verbatim(stdout) : said), ...complaints]
}
