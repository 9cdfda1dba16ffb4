import type { ListedCall, TakenCalls } from '../../storage/completeness/platform-calls.ts'
import type { ListField } from './call-list-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import { listTexts } from './list-texts.ts'
import {
  type ListMistake,
  type ListReading,
  type ListTexts,
  readListedCall,
} from './read-listed-call.ts'

/** Where in the list, and what is wrong there. */
export interface PlacedMistake extends Omit<ListMistake, 'field'> {
  /** Of the file, from 1; of calls by the API the place in the list, from 1. */
  readonly line: number
  /** The heading of the column, or the name of the field. */
  readonly column: string
}

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
      this.#rejected++
      const { field, ...mistake } = outcome.mistake
      if (this.#mistakes.length < MAX_MISTAKES) {
        this.#mistakes.push({ line, column: columnOf(field), ...mistake })
      }
      return
    }
    this.#batch.push(outcome.call)
    if (this.#batch.length === BATCH_CALLS) await this.#flush()
  }

  async finish(): Promise<CallListResult> {
    await this.#flush()
    return {
      read: this.#read,
      rejected: this.#rejected,
      ...this.#taken,
      mistakes: this.#mistakes,
    }
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

/** Takes the calls of a file, whose first record has the headings. Throws `bad_columns` and `CsvError`. */
export async function importCsv(
  records: AsyncIterable<CsvRecord>,
  asked: ReadonlyMap<ListField, string>,
  { reading, take }: { readonly reading: ListReading; readonly take: TakeCalls },
): Promise<CallListResult> {
  const importing = new CallListImport(reading, take)
  for await (const { texts, line, columnOf } of listTexts(records, asked)) {
    await importing.add(texts, line, columnOf)
  }
  return importing.finish()
}
