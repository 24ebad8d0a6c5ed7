//go:build poison

package wire

// spoil overwrites released memory.
func spoil(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
}
