export function findFirefox(): string | null;
export const NO_FIREFOX: string;
