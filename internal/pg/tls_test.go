package pg_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// certificate makes a self-signed certificate, and its PEM file.
func certificate(t *testing.T, file string, until time.Time, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-48 * time.Hour), NotAfter: until, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// tlsServer accepts PostgreSQL's request for TLS and shakes hands with a certificate.
func tlsServer(t *testing.T, config *tls.Config) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
					return
				}
				if _, err := conn.Write([]byte("S")); err != nil {
					return
				}
				inner := tls.Server(conn, config)
				_ = inner.HandshakeContext(t.Context())
				_, _ = io.Copy(io.Discard, inner)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// A server that is not trusted is an error that names the reason and the setting.
func TestTLSFaults(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	day := 24 * time.Hour
	other := certificate(t, file("other.pem"), time.Now().Add(day), "db.example.com", "db2.example.com")
	nameless := certificate(t, file("nameless.pem"), time.Now().Add(day))
	local := certificate(t, file("local.pem"), time.Now().Add(day), "localhost")
	old := certificate(t, file("old.pem"), time.Now().Add(-day), "localhost")
	server := func(c tls.Certificate, auth tls.ClientAuthType) int {
		return tlsServer(t, &tls.Config{Certificates: []tls.Certificate{c}, ClientAuth: auth, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12})
	}
	for _, c := range []struct {
		name, mode, root string
		port             int
		want             string
	}{
		{"another host", "verify-full", file("other.pem"), server(other, tls.NoClientCert), "its certificate is for db.example.com, db2.example.com, not for localhost; set host to a name of the certificate, or sslmode to verify-ca"},
		{"no host", "verify-full", file("nameless.pem"), server(nameless, tls.NoClientCert), "its certificate is for no host name, not for localhost"},
		{"another authority", "verify-full", file("other.pem"), server(local, tls.NoClientCert), "the authority in sslrootcert_path (" + file("other.pem") + ") has not signed its certificate"},
		{"no authority", "verify-full", "", server(local, tls.NoClientCert), "no known authority has signed its certificate; name the file of the authority's certificate in sslrootcert_path"},
		{"expired", "verify-full", file("old.pem"), server(old, tls.NoClientCert), "its certificate has expired"},
		{"a client without a certificate", "verify-full", file("local.pem"), server(local, tls.RequireAnyClientCert), "check sslcert_path and sslkey_path"},
		{"no file of the authority", "verify-full", file("none.pem"), server(local, tls.NoClientCert), "the file of sslrootcert_path, " + file("none.pem") + ", cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt := pg.Options{Host: "localhost", Port: c.port, Database: "d", User: "u", Password: "hunter2", SSLMode: c.mode, SSLRootCert: c.root}
			_, err := pg.Connect(t.Context(), opt)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %s", err, c.want)
			}
			if kind := fault.KindOf(err); kind != fault.Unavailable && kind != fault.Invalid {
				t.Error(kind)
			}
		})
	}
}
