//go:build !poison

package wire

// spoil does nothing; with the build tag poison it overwrites released memory, so
// that a test detects late readers.
func spoil([]byte) {}
