/** Most digits of an exact integer: those of 128 bits. A sender must not choose how much work one is. */
const maxDigits = 38;

/** Room for leading zeros, a fraction of zeros and an exponent. */
const maxTextLength = 100;

/**
 * The integer that a decimal number means, exactly: `9007199254740993`, `-7`, `1.5e1`, `20.0`. A
 * bigint only beyond 2^53; `null` if it is no integer, has more than 38 digits, or is
 * written with more than 100 characters.
 */
export function exactInteger(text: string): number | bigint | null {
  if (text.length > maxTextLength) return null;
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const significant = (whole + fraction).replace(/^0+/, '');
  const trailingZeros = significant.length - significant.replace(/0+$/, '').length;
  if (significant === '') return 0;

  // The value is `significant` with so many zeros put behind it, or taken away.
  const zeros = Number(exponent) - fraction.length;
  if (zeros < -trailingZeros || significant.length + zeros > maxDigits) return null;
  const digits =
    zeros >= 0 ? significant.padEnd(significant.length + zeros, '0') : significant.slice(0, zeros);
  const value = Number(sign + digits);
  return Number.isSafeInteger(value) ? value : BigInt(sign + digits);
}
