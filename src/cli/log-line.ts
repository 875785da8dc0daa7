import { asRecord, parseAnswer } from './json-shape.js';
import { sanitize, type Terminal } from './terminal.js';

/** From the least to the most important. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'panic'] as const;

export interface LogLine {
  readonly level: string;
  readonly timestampMicros: number;
  readonly functionName: string | undefined;
  readonly message: string;
}

export function readLogLine(line: string): LogLine {
  const { level, ts, function: functionName, message } = asRecord(parseAnswer(line));
  return {
    level: String(level).toLowerCase(),
    timestampMicros: Number(ts),
    functionName: typeof functionName === 'string' ? functionName : undefined,
    message: String(message),
  };
}

export function isAtLeast(level: string, least: string): boolean {
  const rank = (name: string): number => (LOG_LEVELS as readonly string[]).indexOf(name);
  return rank(level) >= rank(least);
}

/** `12:01:03.250 WARN  the message (send_message)` in local time. */
export function renderLogLine(line: LogLine, terminal: Terminal): string {
  const time = terminal.paint('dim', localTime(new Date(line.timestampMicros / 1000)));
  const level = paintLevel(line.level, terminal);
  const origin =
    line.functionName === undefined ? '' : terminal.paint('dim', ` (${sanitize(line.functionName)})`);
  return `${time} ${level} ${sanitize(line.message)}${origin}`;
}

export function localTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

function paintLevel(level: string, terminal: Terminal): string {
  const text = level.toUpperCase().padEnd(5);
  if (level === 'error' || level === 'panic') return terminal.paint('red', text);
  return level === 'warn' ? terminal.paint('yellow', text) : text;
}
