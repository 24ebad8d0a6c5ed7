//go:build !unix

package wire

import "net"

// quiet cannot check connections on this system and returns true.
func quiet(net.Conn) bool { return true }
