/** Says whether a value that came from outside has a certain form. */
export type Shape<Value> = (value: unknown) => value is Value;

export const isText: Shape<string> = (value) => typeof value === 'string';

export const isFlag: Shape<boolean> = (value) => typeof value === 'boolean';

/** A whole number from 0 on. */
export const isCount: Shape<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Any finite number: wall clocks and exit codes are whatever they are. */
export const isNumber: Shape<number> = (value): value is number => Number.isFinite(value);

/** A text or number whose brand only the log gives meaning to. */
export const branded = <Value extends string | number>(shape: Shape<string> | Shape<number>): Shape<Value> =>
  shape as (value: unknown) => boolean as Shape<Value>;

export const oneOf =
  <Value extends string>(values: readonly Value[]): Shape<Value> =>
  (value): value is Value =>
    values.some((known) => known === value);

export const orNull =
  <Value>(shape: Shape<Value>): Shape<Value | null> =>
  (value): value is Value | null =>
    value === null || shape(value);

export const listOf =
  <Value>(shape: Shape<Value>): Shape<readonly Value[]> =>
  (value): value is readonly Value[] =>
    Array.isArray(value) && value.every((element) => shape(element));

export const pairOf =
  <Left, Right>(left: Shape<Left>, right: Shape<Right>): Shape<readonly [Left, Right]> =>
  (value): value is readonly [Left, Right] =>
    Array.isArray(value) && value.length === 2 && left(value[0]) && right(value[1]);

/** A list of exactly these, in this order. */
export const tupleOf =
  <Row extends readonly unknown[]>(...shapes: { readonly [At in keyof Row]: Shape<Row[At]> }): Shape<Row> =>
  (value): value is Row =>
    Array.isArray(value) && value.length === shapes.length && shapes.every((shape, at) => shape(value[at]));

/** An object with these fields; a field that may be missing has a shape that takes `undefined`. Further fields are let be. */
export const objectOf =
  <Value extends object>(fields: { readonly [Key in keyof Value]-?: Shape<Value[Key]> }): Shape<Value> =>
  (value): value is Value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    for (const key in fields) {
      const field: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
      if (!fields[key](field)) return false;
    }
    return true;
  };

export const textRecord: Shape<Readonly<Record<string, string>>> = (value): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);

export const optional =
  <Value>(shape: Shape<Value>): Shape<Value | undefined> =>
  (value): value is Value | undefined =>
    value === undefined || shape(value);

/** One of several object forms, told apart by `type` or `from`. */
export const anyOf =
  <Value>(...shapes: readonly Shape<Value>[]): Shape<Value> =>
  (value): value is Value =>
    shapes.some((shape) => shape(value));
