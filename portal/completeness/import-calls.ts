import type { ListedCall, TakenCalls } from '../../storage/completeness/platform-calls.ts'
import type { ListField } from './call-list-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import { textsOf } from './json-call.ts'
import { listTexts } from './list-texts.ts'
import {
  type ListReading,
  type ListTexts,
  type PlacedMistake,
  placedMistake,
  readListedCall,
} from './read-listed-call.ts'

export interface CallListResult extends TakenCalls {
  readonly read: number
  /** Calls that could not be taken; the others are. */
  readonly rejected: number
  /** The first of what was wrong. */
  readonly mistakes: readonly PlacedMistake[]
}

/** So many calls are taken at a time. */
export const BATCH_CALLS = 1000
/** So many mistakes of a list are told. */
export const MAX_MISTAKES = 100

export type TakeCalls = (calls: readonly ListedCall[]) => Promise<TakenCalls>

/** Takes the calls of a list a thousand at a time, and tells what came of them. */
export class CallListImport {
  readonly #reading: ListReading
  readonly #take: TakeCalls
  #batch: ListedCall[] = []
  #read = 0
  #rejected = 0
  #taken: TakenCalls = { taken: 0, known: 0, matched: 0 }
  readonly #mistakes: PlacedMistake[] = []

  constructor(reading: ListReading, take: TakeCalls) {
    this.#reading = reading
    this.#take = take
  }

  async add(texts: ListTexts, line: number, columnOf: (field: ListField) => string): Promise<void> {
    this.#read++
    const outcome = readListedCall(texts, this.#reading)
    if (outcome.kind === 'wrong') {
      const { field, ...mistake } = outcome.mistake
      this.#tell({ line, column: columnOf(field), ...mistake })
      return
    }
    this.#batch.push(outcome.call)
    if (this.#batch.length === BATCH_CALLS) await this.#flush()
  }

  /** A call that could not even be read. */
  reject(mistake: PlacedMistake): void {
    this.#read++
    this.#tell(mistake)
  }

  /** What came of the calls until now; those of a part that is not full are not taken yet. */
  get result(): CallListResult {
    return {
      read: this.#read,
      rejected: this.#rejected,
      ...this.#taken,
      mistakes: this.#mistakes,
    }
  }

  async finish(): Promise<CallListResult> {
    await this.#flush()
    return this.result
  }

  #tell(mistake: PlacedMistake): void {
    this.#rejected++
    if (this.#mistakes.length < MAX_MISTAKES) this.#mistakes.push(placedMistake(mistake))
  }

  async #flush(): Promise<void> {
    const calls = this.#batch
    this.#batch = []
    if (calls.length === 0) return
    const { taken, known, matched } = await this.#take(calls)
    this.#taken = {
      taken: this.#taken.taken + taken,
      known: this.#taken.known + known,
      matched: this.#taken.matched + matched,
    }
  }
}

/** Takes the calls of a file, whose first record has the headings. Throws as `listTexts` does. */
export async function importCsv(
  importing: CallListImport,
  records: AsyncIterable<CsvRecord>,
  asked: ReadonlyMap<ListField, string>,
): Promise<void> {
  for await (const row of listTexts(records, asked)) {
    if (row.kind === 'spoilt') importing.reject(row.mistake)
    else await importing.add(row.texts, row.line, row.columnOf)
  }
}

/** Takes calls as JSON has them, each of which may be anything. */
export async function importJson(
  importing: CallListImport,
  calls: readonly unknown[],
): Promise<void> {
  for (const [index, call] of calls.entries()) {
    const line = index + 1
    const outcome = textsOf(call)
    if (outcome.kind === 'wrong') importing.reject({ line, ...outcome.mistake })
    else await importing.add(outcome.texts, line, (field) => field)
  }
}
