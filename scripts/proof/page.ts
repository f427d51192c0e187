// docs/proof.md: each promise with what was measured last.
import { promises, commandOf, type Proofs } from './promises.ts'

const sourceOf = ({ test, bench }: (typeof promises)[number]): string =>
  test === undefined ? `\`npm run bench -- --only ${bench}\`` : `\`${test}\``

export const renderProofPage = (proofs: Proofs): string => {
  const sections = promises.map((promise) => {
    const proof = proofs[promise.name]
    const measured =
      proof === undefined
        ? 'Not measured yet.'
        : `${proof.holds ? '' : '**It failed.** '}${proof.figure}\n\nMeasured ${proof.at}, on ${proof.on}.`
    return `## ${promise.name.charAt(0).toUpperCase()}${promise.name.slice(1)}\n\n${promise.says}\n\n${measured}\n\nShown by ${sourceOf(promise)}. Again: \`${commandOf(promise)}\`.\n`
  })
  return `# Proof

Each promise of Stagely, the command that shows it, and what the command said last. \`npm run proof\` runs all of them on your machine, and writes this page. It takes some ten minutes.

A figure is true for its machine and its time. [Performance](performance.md) has more of them, with those that are missed.

${sections.join('\n')}`
}
