/** A deliberate fault: an exact piece of one source file and what stands there instead. */
export interface Mutant {
  readonly name: string;
  /** What would be wrong if it shipped. */
  readonly fault: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly original: string;
  readonly mutated: string;
  /** What must go with it where the same rule is guarded twice. */
  readonly also?: readonly { readonly file: string; readonly original: string; readonly mutated: string }[];
  /** Only a recovery shows it. */
  readonly drill?: boolean;
  /** Only altered memory shows it. */
  readonly alteration?: boolean;
  /** Seeds within which it must be caught. */
  readonly seedsMax: number;
}
