// Mocha's spec reporter, closed by one line with mocha's own counts: `N passed, N failed[, N skipped]`.
const { reporters } = require('mocha');

module.exports = class SpecWithCounts extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : '';
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
  }
};
