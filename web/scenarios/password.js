// @ts-check
export const PASSWORD = 'Secret1pass';
