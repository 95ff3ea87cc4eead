/** The cursor of the one field that a subscription has, if it is selected. */
export function cursorOf(data: unknown): string | undefined {
  const [field] = Object.values(Object(data));
  return Object(field).cursor;
}
