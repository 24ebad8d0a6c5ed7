//go:build linux

// Package dialtest provides addresses that do not respond, for tests.
package dialtest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Host is a name that Lookup resolves to a dead address and a live one.
const Host = "store.test"

// Dead is the dead address of Host.
const Dead = "127.0.0.77"

// Live is the live address of Host.
const Live = "127.0.0.1"

// Lookup returns the addresses of Host, the dead one first.
func Lookup(_ context.Context, host string) ([]netip.Addr, error) {
	if host != Host {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr(Dead), netip.MustParseAddr(Live)}, nil
}

// Blackhole makes a port of the dead address ignore every SYN: the queue of its
// listener is full.
func Blackhole(t testing.TB, port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: netip.MustParseAddr(Dead).As4()}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort(Dead, strconv.Itoa(port))
	for range 16 {
		c, err := (&net.Dialer{Timeout: 100 * time.Millisecond}).DialContext(t.Context(), "tcp", address)
		if errors.Is(err, os.ErrDeadlineExceeded) || err != nil && isTimeout(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("a full listener still accepts connections")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
