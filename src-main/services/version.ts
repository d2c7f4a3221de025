/** The version people see. `package.json` says the same; a unit test holds them together. */
export const version = '0.1.0';
