/** Most messages fit into 2 KiB. One buffer serves all. */
export const BUFFER_BYTES = 2048;

/** 64 KiB: of a buffer that a long message made grow past that the memory is given back. */
export const BUFFER_BYTES_MAX = 2 ** 16;

/** Up to 24 octets of a text are looked at one by one, as calling the platform's converter costs more. */
export const SHORT_TEXT = 24;
