/** Of this process, as clients and `tidemark --version` are told it. */
export const VERSION = '0.1.0';
