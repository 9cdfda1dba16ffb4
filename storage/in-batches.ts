/** A part of some rows in order of their ids: so many after this one. */
export interface BatchPlace {
  readonly afterId: string
  readonly limit: number
}

/** Comes before every id, for a first batch. */
export const NO_ID = '00000000-0000-0000-0000-000000000000'

/** Reads rows in order of their ids, a batch at a time, the next when the one before has been taken; none is empty. */
export async function* inBatches<Row extends { readonly id: string }>(
  limit: number,
  read: (place: BatchPlace) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  let afterId = NO_ID
  for (;;) {
    const batch = await read({ afterId, limit })
    const last = batch.at(-1)
    if (last === undefined) return
    yield batch
    if (batch.length < limit) return
    afterId = last.id
  }
}
