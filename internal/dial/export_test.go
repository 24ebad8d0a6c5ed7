package dial

// Interleaved is interleaved, for tests.
var Interleaved = interleaved
