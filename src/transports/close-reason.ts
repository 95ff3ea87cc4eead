/** RFC 6455, section 5.5: a control frame holds 125 bytes, two of them the code. */
const maxReasonBytes = 123;

/** A reason that fits into a close frame: cut at a character, never within one. */
export function closeReason(text: string): string {
  if (Buffer.byteLength(text) <= maxReasonBytes) return text;
  let reason = '';
  let bytes = Buffer.byteLength('…');
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxReasonBytes) break;
    reason += character;
  }
  return `${reason}…`;
}
