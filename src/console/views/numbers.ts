const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: string | number): string {
  return whole.format(Number(value));
}

/** @param rate undefined: it is not known */
export function perSecond(rate: number | undefined): string {
  if (rate === undefined) return '–';
  return `${rate >= 10 ? short.format(Math.round(rate)) : rate.toFixed(1)}/s`;
}

/** The time of day, with milliseconds, where the reader is. @param text RFC 3339 */
export function timeOfDay(text: string): string {
  const time = new Date(text);
  const clock = time.toLocaleTimeString('en-GB');
  return `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
