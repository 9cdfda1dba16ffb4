/** Whether a response to a request in a dialog says that the dialog is no more (RFC 3261 §12.2.1.2, RFC 5057 §5.1). */
export function isDialogGone(status: number): boolean {
  return status === 481 || status === 408
}
