// Makes a promise rejection nobody handled fail the run instead of scrolling past.
process.on('unhandledRejection', (reason) => {
  throw reason instanceof Error ? reason : new Error(String(reason));
});
