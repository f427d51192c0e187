// The page of alerts, made of the rules for Prometheus and of a runbook for each.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { generatedMark } from './mark.ts'

interface Rule {
  readonly alert: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

const read = (path: string): unknown =>
  parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as unknown

/** Templates of Prometheus stand for names and numbers. */
const filled = (text: string): string =>
  text.replace(/\{\{\s*\$(?:labels\.)?(\w+)[^}]*\}\}/g, (_, name: string) => name.toUpperCase())

export const renderAlerts = (): string => {
  const { groups } = read('../../charts/stagely/files/monitoring/alerts.yaml') as {
    groups: readonly { rules: readonly Rule[] }[]
  }
  const runbooks = read('./runbooks.yaml') as Readonly<Record<string, readonly string[]>>
  const rules = groups.flatMap((group) => group.rules)
  const sections = rules.map((rule) => {
    const steps = runbooks[rule.alert]
    if (steps === undefined) throw new Error(`${rule.alert} has no runbook`)
    const lines = steps.map((step, n) => `${n + 1}. ${step}\n`).join('')
    const { summary, description } = rule.annotations
    const wait = rule.for === undefined ? '' : `, after ${rule.for}`
    return `## ${rule.alert}\n\n${filled(summary)} (${rule.labels.severity}${wait}). ${filled(description)}\n\n${lines}`
  })
  const lost = Object.keys(runbooks).filter((name) => !rules.some(({ alert }) => alert === name))
  if (lost.length > 0) throw new Error(`no alert is named ${lost.join(', ')}`)
  return `# Alerts and their runbooks

${generatedMark('charts/stagely/files/monitoring/alerts.yaml and scripts/reference/runbooks.yaml')}

What each alert means, and what to do, in this order. [A server for real](../server.md#watch-it) says how alerts get to you.

${sections.join('\n')}`
}
