/** An element with what it holds; names and attributes without their prefixes. */
export interface XmlElement {
  readonly name: string
  /** What the prefix, or its absence, stands for; empty where nothing declares it. */
  readonly namespace: string
  /** By name in small letters, namespace declarations left out. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** The element's own character data, trimmed. */
  readonly text: string
}
