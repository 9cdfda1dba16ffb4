/**
 * What is asked of a disk. Orders of one client are carried out in their order.
 *
 * Carried out again, by a thread that knows no open file any more, an order leaves the files as it leaves them once.
 */
export type DiskOrder =
  /** Makes a file, mode 0600, and opens it for writing. It must not exist, but where it is empty and nobody's. */
  | { readonly kind: 'open'; readonly path: string }
  /**
   * Writes after the first bytes of an open file, which are all that it is to have. Tells how much was written, and why
   * not all. The bytes must not be changed any more.
   */
  | {
      readonly kind: 'append'
      readonly path: string
      readonly position: number
      readonly bytes: Uint8Array
    }
  /** Puts an open file on the disk for good and closes it. */
  | { readonly kind: 'finish'; readonly path: string }
  /** Cuts an open file to its first bytes and closes it; a file without any is removed. */
  | {
      readonly kind: 'abandon'
      readonly path: string
      readonly keepBytes: number
      /** Whether the file was opened, as far as the client knows: where it was not, there may be somebody else's. */
      readonly wasOpened: boolean
    }
  /**
   * Moves the first of some files that is there, across disks where it must, and puts it there for good. It appears
   * under its new name only when it is whole there, and leaves the old one only then. Moving what was moved already
   * changes nothing.
   */
  | ({ readonly kind: 'move' } & FileMove)
  /** Reads so many bytes of a file from a position on, or as many as there are. */
  | {
      readonly kind: 'read'
      readonly path: string
      readonly position: number
      readonly bytes: number
    }
  /** Writes a small file, mode 0600, over one that is there; makes its folder, mode 0700. */
  | { readonly kind: 'place'; readonly path: string; readonly content: string }
  /** Removes files, and tells what came of each. */
  | { readonly kind: 'erase'; readonly paths: readonly string[] }
  /** How a file lies there; undefined where there is none. */
  | { readonly kind: 'facts'; readonly path: string }
  /** The names in a folder. */
  | { readonly kind: 'list'; readonly folder: string }
  /** Writes a page beside the recordings and takes it away again, and tells how much room there is. */
  | { readonly kind: 'probe'; readonly folder: string }

export interface FileMove {
  /** At least one. */
  readonly choices: readonly FilePlaces[]
  /** How much of the file is to be kept, where that is known; what follows is cut off. */
  readonly bytes?: number
  /** Of those bytes, in lower-case hexadecimal; compared where they are copied. */
  readonly sha256?: string
}

export interface FilePlaces {
  readonly from: string
  readonly to: string
  /** Removed once the file is moved. */
  readonly leftover?: string
}

export interface FileMoved {
  readonly movedTo: string
  /** What was copied is not what the SHA-256 is of. */
  readonly isChanged: boolean
}

/** How much of an append was written. */
export interface Appended {
  readonly writtenBytes: number
  /** Why the rest was not. */
  readonly failure?: DiskFailure
}

/** What came of a file that was to be removed; `gone` says that it was not there. */
export type Erased = 'erased' | 'gone' | DiskFailure

/** How a file lies on the disk. */
export interface FileFacts {
  readonly bytes: number
  readonly modifiedAtMs: number
}

/** Names in a folder, in no order. What is neither a file nor a folder is left out. */
export interface FolderNames {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

/** An error of the file system's. */
export interface DiskFailure {
  /** As `ENOSPC`. */
  readonly code: string
  readonly message: string
}

/** The room of a file system. Files are 0 of 0 where it does not count them. */
export interface DiskRoom {
  readonly freeBytes: number
  readonly totalBytes: number
  readonly freeFiles: number
  readonly totalFiles: number
}

export interface DiskResults {
  readonly open: undefined
  readonly append: Appended
  readonly finish: undefined
  readonly abandon: undefined
  readonly move: FileMoved
  readonly read: Uint8Array
  readonly place: undefined
  readonly erase: readonly Erased[]
  readonly facts: FileFacts | undefined
  readonly list: FolderNames
  readonly probe: DiskRoom
}

/** An order of one kind. */
export type DiskOrderOf<Kind extends DiskOrder['kind']> = Extract<
  DiskOrder,
  { readonly kind: Kind }
>

/** Works on files, and never in the way of whoever asks. */
export interface Disk {
  /**
   * Rejects with a `TallenneError`: the file system's own code, as `ENOSPC`; `disk_hung` where it does not answer;
   * `disk_gone` where nobody works on it any more, or where thread after thread died of the order. An append gives its failure as a result.
   */
  run<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>): Promise<DiskResults[Kind]>
}
