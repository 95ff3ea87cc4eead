import { z } from 'zod';
import { unknownName } from './nearest.ts';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './quantity.ts';

/** What values a setting takes. `Suffix` is the unit that its key carries in the typed result. */
export interface ValueType<T, Suffix extends string = string> {
  readonly schema: z.ZodType<T>;
  /** For people, in the document: `duration`, `text`. */
  readonly label: string;
  readonly suffix: Suffix;
  /** How an environment variable's text becomes what the schema reads. */
  readonly environment: 'text' | 'list' | 'yaml';
  /** How the document shows a default. */
  format(value: T): string;
}

/** One row of the table of settings. */
export interface Setting<T, Suffix extends string = string> {
  readonly kind: 'setting';
  readonly type: ValueType<T, Suffix>;
  readonly default: T;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** What it means when the file names it without a value (`projects:`). @default `default` */
  readonly whenEmpty: T;
}

export interface Section<C extends Settings = Settings> {
  readonly kind: 'section';
  readonly settings: C;
  /** For a section that may also be written as `true` (all defaults) or `false` (absent). */
  readonly switch: { readonly default: boolean; readonly description: string } | null;
}

export interface Settings {
  readonly [name: string]: Setting<unknown> | Section;
}

/** The typed result of a table: durations carry their unit in the key (`lateness` -> `latenessMs`). */
export type ValuesOf<S> = {
  readonly [K in keyof S & string as S[K] extends Setting<unknown, infer U>
    ? `${K}${U}`
    : K]: S[K] extends Setting<infer T>
    ? T
    : S[K] extends Section<infer C>
      ? SectionValue<S[K], C>
      : never;
};

type SectionValue<S, C> = S extends { readonly switch: null } ? ValuesOf<C> : ValuesOf<C> | false;

interface SettingOptions<T> {
  readonly default: T;
  readonly description: string;
  readonly secret?: boolean;
  readonly whenEmpty?: T;
}

export function setting<T, U extends string>(
  type: ValueType<T, U>,
  options: SettingOptions<NoInfer<T>>,
): Setting<T, U> {
  return {
    kind: 'setting',
    type,
    default: options.default,
    description: options.description,
    secret: options.secret ?? false,
    whenEmpty: options.whenEmpty ?? options.default,
  };
}

/** A setting that may be absent: `null` then. */
export function optional<T, U extends string>(
  type: ValueType<T, U>,
  options: Omit<SettingOptions<NoInfer<T> | null>, 'default'>,
): Setting<T | null, U> {
  const nullable: ValueType<T | null, U> = {
    ...type,
    format: (value) => (value === null ? '' : type.format(value)),
  };
  return setting(nullable, { ...options, default: null });
}

export function section<const C extends Settings>(
  settings: C,
): Section<C> & { readonly switch: null } {
  return { kind: 'section', settings, switch: null };
}

export function switchable<const C extends Settings>(
  options: { readonly default: boolean; readonly description: string },
  settings: C,
): Section<C> & { readonly switch: { readonly default: boolean; readonly description: string } } {
  return { kind: 'section', settings, switch: options };
}

/** The schema of one entry of a structured value: an unknown key is refused with the nearest known. */
export function entry<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownName(key, known)).join('; ')
        : `expected a mapping with ${known.join(', ')}`,
  });
}

const textSchema = z
  .string({
    error: (issue) =>
      issue.input === undefined
        ? 'is missing'
        : typeof issue.input === 'object'
          ? 'expected text'
          : 'expected text; put the value in quotes',
  })
  .min(1, 'must not be empty');

export const text: ValueType<string, ''> = textType('text', textSchema);

/** A text of a certain form. `problemOf` says what is wrong with one; `undefined`: nothing. */
export function textLike(
  label: string,
  problemOf: (value: string) => string | undefined,
): ValueType<string, ''> {
  const schema = textSchema.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return textType(label, schema);
}

/** A path, relative to the configuration file. */
export const file: ValueType<string, ''> = textType('file', textSchema);

function textType(label: string, schema: z.ZodType<string>): ValueType<string, ''> {
  return { schema, label, suffix: '', environment: 'text', format: (value) => value };
}

export const flag: ValueType<boolean, ''> = {
  schema: z.boolean({ error: 'expected true or false' }),
  label: 'true or false',
  suffix: '',
  environment: 'yaml',
  format: String,
};

export function integer(range: {
  readonly min: number;
  readonly max: number;
}): ValueType<number, ''> {
  const error = `expected a whole number from ${range.min} to ${range.max}`;
  return {
    schema: z.int({ error }).min(range.min, error).max(range.max, error),
    label: `${range.min} to ${range.max}`,
    suffix: '',
    environment: 'yaml',
    format: String,
  };
}

export function oneOf<const V extends readonly string[]>(values: V): ValueType<V[number], ''> {
  return {
    schema: z.enum(values, { error: `expected one of ${values.join(', ')}` }),
    label: values.map((value) => `\`${value}\``).join(', '),
    suffix: '',
    environment: 'text',
    format: (value) => value,
  };
}

/** In milliseconds; in the file with its unit. */
export function duration(range: {
  readonly minMs: number;
  readonly maxMs: number;
}): ValueType<number, 'Ms'> {
  return {
    schema: quantity(parseDurationMs, range.minMs, range.maxMs, formatDurationMs, {
      what: 'a duration with its unit, such as 500ms, 2s, 10m or 4d',
      bareNumbers: false,
    }),
    label: `duration, ${formatDurationMs(range.minMs)} to ${formatDurationMs(range.maxMs)}`,
    suffix: 'Ms',
    environment: 'text',
    format: formatDurationMs,
  };
}

export function bytes(range: {
  readonly min: number;
  readonly max: number;
}): ValueType<number, ''> {
  return {
    schema: quantity(parseBytes, range.min, range.max, formatBytes, {
      what: 'a size in bytes, such as 65536, 512KiB or 1MiB',
      bareNumbers: true,
    }),
    label: `bytes, ${formatBytes(range.min)} to ${formatBytes(range.max)}`,
    suffix: '',
    environment: 'text',
    format: formatBytes,
  };
}

function quantity(
  parse: (text: string) => number | null,
  min: number,
  max: number,
  format: (amount: number) => string,
  wording: { readonly what: string; readonly bareNumbers: boolean },
): z.ZodType<number> {
  return z.transform((input: unknown, context) => {
    const readable =
      typeof input === 'string' ||
      (typeof input === 'number' && (wording.bareNumbers || input === 0));
    const amount = readable ? parse(String(input)) : null;
    if (amount === null) {
      context.addIssue({ code: 'custom', message: `expected ${wording.what}` });
      return z.NEVER;
    }
    if (amount < min || amount > max) {
      context.addIssue({
        code: 'custom',
        message: `expected a value from ${format(min)} to ${format(max)}`,
      });
    }
    return amount;
  });
}

/** A list of texts; in an environment variable separated by commas. */
export function listOf(element: ValueType<string>): ValueType<readonly string[], ''> {
  return {
    schema: z.array(element.schema, { error: 'expected a list' }).readonly(),
    label: `list of ${element.label}`,
    suffix: '',
    environment: 'list',
    format: (values) => `[${values.join(', ')}]`,
  };
}

/** A structured value; in an environment variable as YAML, of which JSON is a part. */
export function structure<T>(label: string, schema: z.ZodType<T>): ValueType<T, ''> {
  return {
    schema,
    label,
    suffix: '',
    environment: 'yaml',
    format: (value) => JSON.stringify(value),
  };
}
