const noTopicId = '00000000-0000-0000-0000-000000000000';

/** A topic's id as the port has it; the library writes 16 bytes as a UUID. `null`: it has none. */
export function topicIdOf(uuid: string): string | null {
  if (uuid === noTopicId) return null;
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

/** As the library wants it. */
export function uuidOf(topicId: string): string {
  const hex = Buffer.from(topicId, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
