//go:build linux

package dial_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/dial"
	"github.com/banquet-fs/banquet/internal/dialtest"
)

// listen starts a server on the live address.
func listen(t *testing.T) (port int) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(dialtest.Live, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// dialOnce connects within a limit, and returns how long it took.
func dialOnce(t *testing.T, d *dial.Dialer, port int, limit time.Duration) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	start := time.Now()
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(dialtest.Host, strconv.Itoa(port)))
	took := time.Since(start)
	if err == nil {
		_ = c.Close()
	}
	return took, err
}

// soonest repeats a call that takes too long: on a busy machine some do, but not each.
func soonest(limit time.Duration, call func() (time.Duration, error)) (took time.Duration, err error) {
	for range 20 {
		if took, err = call(); err == nil && took <= limit {
			break
		}
	}
	return took, err
}

func TestADeadAddressKeepsNobodyFromALiveOne(t *testing.T) {
	port := listen(t)
	dialtest.Blackhole(t, port)
	for _, limit := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
		var d *dial.Dialer
		took, err := soonest(time.Second, func() (time.Duration, error) {
			d = &dial.Dialer{Timeout: 5 * time.Second, Lookup: dialtest.Lookup}
			return dialOnce(t, d, port, limit)
		})
		if err != nil || took > time.Second {
			t.Fatalf("within %v: %v after %v", limit, err, took)
		}
		t.Logf("within %v: %v", limit, took)
		again, err := soonest(20*time.Millisecond, func() (time.Duration, error) { return dialOnce(t, d, port, limit) })
		if err != nil || again > 20*time.Millisecond {
			t.Errorf("the next connection takes %v (%v)", again, err)
		}
	}
}

func TestARefusalHasTheNextAddressTriedAtOnce(t *testing.T) {
	port := listen(t) // on the live address only
	took, err := soonest(100*time.Millisecond, func() (time.Duration, error) {
		return dialOnce(t, &dial.Dialer{Lookup: dialtest.Lookup}, port, 5*time.Second)
	})
	if err != nil || took > 100*time.Millisecond {
		t.Errorf("%v, %v", took, err)
	}
}

func TestAllAddressesDead(t *testing.T) {
	port := listen(t)
	dialtest.Blackhole(t, port)
	dead := netip.MustParseAddr(dialtest.Dead)
	d := &dial.Dialer{Timeout: 200 * time.Millisecond, Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{dead, dead}, nil
	}}
	took, err := dialOnce(t, d, port, 10*time.Second)
	if !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("%v, %v", took, err)
	}
}

// The timer of a socket and that of a context end at the same moment, either one first.
func TestTheEndOfTheTimeHasOneError(t *testing.T) {
	port := listen(t)
	dialtest.Blackhole(t, port)
	dead := netip.MustParseAddr(dialtest.Dead)
	for addresses := 1; addresses <= 2; addresses++ {
		d := &dial.Dialer{Timeout: 2 * time.Millisecond, Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{dead, dead}[:addresses], nil
		}}
		for range 100 {
			if _, err := dialOnce(t, d, port, 10*time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("with %d addresses: %v", addresses, err)
			}
		}
	}
}

func TestNobodyListens(t *testing.T) {
	d := &dial.Dialer{Lookup: dialtest.Lookup}
	_, err := dialOnce(t, d, 1, time.Second)
	var op *net.OpError
	if !errors.As(err, &op) {
		t.Errorf("%v", err)
	}
}

func TestAnUnknownHost(t *testing.T) {
	d := &dial.Dialer{Lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, nil }}
	_, err := dialOnce(t, d, 1, time.Second)
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("%v", err)
	}
}

func TestFamiliesTakeTurns(t *testing.T) {
	var in []netip.Addr
	for _, s := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "::ffff:192.0.2.2"} {
		in = append(in, netip.MustParseAddr(s))
	}
	got := ""
	for _, ip := range dial.Interleaved(in) {
		got += ip.String() + " "
	}
	if want := "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3 "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
