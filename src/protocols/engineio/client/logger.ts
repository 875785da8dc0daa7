export interface Logger {
  info(text: string, ...details: unknown[]): void;
  error(text: string, ...details: unknown[]): void;
  warning?(text: string, ...details: unknown[]): void;
  warn?(text: string, ...details: unknown[]): void;
}

/** `true`: everything, `false`: errors only, or a logger of the application's own. */
export function makeLogger(option: boolean | Logger): Required<Pick<Logger, 'info' | 'error' | 'warning'>> {
  if (typeof option === 'object') {
    return {
      info: (text, ...details) => option.info(text, ...details),
      error: (text, ...details) => option.error(text, ...details),
      warning(text, ...details) {
        if (option.warning !== undefined) option.warning(text, ...details);
        else if (option.warn !== undefined) option.warn(text, ...details);
        else option.info(text, ...details);
      },
    };
  }
  const quiet = (): void => {};
  return {
    info: option ? (text, ...details) => console.info(text, ...details) : quiet,
    error: (text, ...details) => console.error(text, ...details),
    warning: option ? (text, ...details) => console.warn(text, ...details) : quiet,
  };
}
