import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { readPage } from './metrics-page.ts'
import { promtool, runPromtool } from './promtool.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

interface RuleTest {
  readonly alert_rule_test: readonly {
    readonly alertname: string
    readonly exp_alerts?: readonly object[]
  }[]
}

const FOLDER = new URL('../../../deploy/prometheus/', import.meta.url).pathname
const ROOT = new URL('../../../', import.meta.url).pathname

const { groups }: { groups: readonly { rules: readonly Rule[] }[] } = parse(
  readFileSync(`${FOLDER}tallenne.rules.yml`, 'utf8'),
)
const rules = groups.flatMap((group) => group.rules)
const testFiles = readdirSync(FOLDER).filter((name) => name.endsWith('.tests.yml'))

t.test('each alert is tried quiet and firing', async (t) => {
  t.ok(rules.length > 0)
  const tries = testFiles.flatMap((name) => {
    const { tests }: { tests: readonly RuleTest[] } = parse(readFileSync(FOLDER + name, 'utf8'))
    return tests.flatMap((test) => test.alert_rule_test)
  })
  for (const { alert } of rules) {
    const own = tries.filter(({ alertname }) => alertname === alert)
    t.ok(
      own.some((one) => (one.exp_alerts ?? []).length === 0),
      `${alert} is tried quiet`,
    )
    t.ok(
      own.some((one) => (one.exp_alerts ?? []).length > 0),
      `${alert} is tried firing`,
    )
  }
})

t.test('each alert leads to its runbook', async (t) => {
  const page = readFileSync(`${ROOT}docs/operations.md`, 'utf8')
  const paragraphs = new Map(
    [...page.matchAll(/^#### (\w+)\n+(.+)$/gm)].map(([, name = '', text = '']) => [name, text]),
  )
  for (const { alert, labels, annotations } of rules) {
    t.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    t.match(paragraphs.get(alert), /.{80}/, `${alert} has a paragraph`)
    t.match(paragraphs.get(alert), /\bclears\b/, `${alert} says what it means when it clears`)
    t.match(labels.severity, /^(page|ticket)$/)
    t.match(annotations.summary, /./)
  }
  const known = new Set(rules.map(({ alert }) => alert))
  t.strictSame(
    [...paragraphs.keys()].filter((name) => !known.has(name)),
    [],
  )
})

t.test('alerts and guides know only metrics that there are', async (t) => {
  const described = readPage()
  const guides = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'))
  const texts = [
    ...rules.map(({ expr }) => expr),
    ...['README.md', ...guides.map((name) => `docs/${name}`)].map((path) =>
      readFileSync(ROOT + path, 'utf8'),
    ),
  ]
  for (const name of new Set(texts.join('\n').match(/\btallenne_[a-z0-9_]+/g))) {
    const base = name.replace(/_(bucket|sum|count)$/, '')
    t.ok(described.has(base) || described.has(name), name)
  }
})

t.test('Prometheus takes the scrape configuration', { skip: promtool.missing }, async (t) => {
  t.ok(existsSync(`${FOLDER}prometheus.yml`))
  const { code, said } = await runPromtool(['check', 'config', `${FOLDER}prometheus.yml`])
  t.equal(code, 0, said)
})

for (const name of testFiles) {
  t.test(`alerts do as ${name} says`, { skip: promtool.missing }, async (t) => {
    const { code, said } = await runPromtool(['test', 'rules', FOLDER + name])
    t.equal(code, 0, said)
  })
}
