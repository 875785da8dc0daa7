import { HttpError } from '../../../../net/http/http-error.js';
import type { HttpRequest } from '../../../../net/http/http-message.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The body as text; 400 with `otherwise` when it is not UTF-8, 413 when it is larger than `bytesMax`. */
export async function readText(
  request: HttpRequest,
  bytesMax?: number,
  otherwise = 'the body is not UTF-8',
): Promise<string> {
  const bytes = await request.readBody(bytesMax);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new HttpError(400, otherwise);
  }
}
