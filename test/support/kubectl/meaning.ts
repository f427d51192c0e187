// What an output of kubectl says, without what differs from run to run and from kind to kind: whose
// columns, which ages, which fields of the schema.

const isVerdict =
  /^(\S+ "[^"]+" (?:force )?deleted|\S+\/\S+ (?:created|configured|unchanged|serverside-applied|replaced|patched|edited|labeled|unlabeled|annotated|pruned|condition met|not labeled)|namespace "[^"]+" deleted)/
const isComplaint =
  /^(Error from server(?: \(\w+\))?:|error: (?:no kind|Metrics|timed out|Apply failed|resource mapping|'|application|the server doesn't|stagelets\.)|The \w+ (?:"[^"]+" )?is invalid|Warning: \w+|No resources found|Edit cancelled|yes$|no$)/

const withoutNoise = (line: string): string =>
  line.replace(/shop-[a-z0-9]{5}\b/, 'shop-*').replace(/tmp\S*/g, 'tmp')

/** Facts in order: verdicts as they are, complaints by their beginning, tables by their names, documents by kind. */
export const meaningOf = (stdout: string, stderr: string): string[] => {
  const facts: string[] = []
  let inTable: number | undefined
  for (const line of stdout.split('\n')) {
    const heading = /^(?:(?:NAMESPACE|EVENT) +)?NAME\b/.exec(line)
    if (heading !== null) inTable = heading[0].includes(' ') ? 1 : 0
    else if (/^kind: \w+$/.test(line)) facts.push(line)
    else if (isVerdict.test(line)) facts.push(withoutNoise(line))
    else if (isComplaint.test(line)) facts.push(isComplaint.exec(line)![1]!)
    else if (inTable !== undefined && /^\S/.test(line) && !/^\w+:/.test(line))
      facts.push(
        `row ${line
          .split(/ +/)
          .slice(0, inTable + 1)
          .join(' ')}`,
      )
    if (line === '') inTable = undefined
  }
  for (const line of stderr.split('\n')) {
    const complaint = isComplaint.exec(line)
    if (complaint !== null) facts.push(withoutNoise(complaint[1]!))
  }
  return facts
}
