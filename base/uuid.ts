import { v7 } from 'uuid'

/** A new UUIDv7 (RFC 9562 §5.7): ids of one process sort by the order in which they were made. */
export function newId(): string {
  return v7()
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether the text has the form of a UUID in lower case, as all our ids do. */
export function isId(text: string): boolean {
  return UUID.test(text)
}
