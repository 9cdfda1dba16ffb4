/** Passes on the pages that a crash left of a recording, the last of them marked as such, in place. */
export async function* endedPages(
  pages: AsyncIterable<Uint8Array>,
  endPage: (page: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined
  for await (const page of pages) {
    if (last) yield last
    last = page
  }
  if (last === undefined) return
  endPage(last)
  yield last
}
