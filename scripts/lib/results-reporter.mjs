// Vitest's reporter of JSON, which leaves out the errors that no test has caught: their number is `unhandled`.
import { JsonReporter } from 'vitest/node'

export default class ResultsReporter extends JsonReporter {
  #unhandled = 0

  constructor(options = {}) {
    super(options)
  }

  onTestRunEnd(modules, unhandled) {
    this.#unhandled = unhandled.length
    return super.onTestRunEnd(modules)
  }

  writeReport(report) {
    return super.writeReport(JSON.stringify({ ...JSON.parse(report), unhandled: this.#unhandled }))
  }
}
