package dynamo_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

const secureHost = "dynamo.test"

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der := a.sign(t, template, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	a.key, _ = der.PrivateKey.(*ecdsa.PrivateKey)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der.Certificate[0]})
	if err := os.WriteFile(a.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate; with parent nil it is self-signed.
func (a *authority) sign(t *testing.T, template, parent *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// certificate makes a certificate for a host, valid until a time.
func (a *authority) certificate(t *testing.T, host string, until time.Time) tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert)
}

// secure starts a server with a certificate, and returns its port and the server
// name that clients send.
func secure(t *testing.T, s *dynamotest.Server, cert tls.Certificate) (port string, asked *atomic.Pointer[string]) {
	t.Helper()
	asked = new(atomic.Pointer[string])
	h := httptest.NewUnstartedServer(s)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.EnableHTTP2 = true // the direct client must not agree to it
	h.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked.Store(&hello.ServerName)
		return nil, nil
	}}
	h.StartTLS()
	t.Cleanup(h.Close)
	_, port, err := net.SplitHostPort(h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, asked
}

func openSecure(t *testing.T, port string, sdk bool) *dynamo.Store {
	t.Helper()
	c, err := awsconf.Load(t.Context(), awsconf.Options{
		Region: "ap-northeast-2", Endpoint: "https://" + net.JoinHostPort(secureHost, port),
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		cert tls.Certificate
		want string // of the fault
	}{
		"our authority":     {cert: ours.certificate(t, secureHost, time.Now().Add(time.Hour))},
		"another authority": {cert: theirs.certificate(t, secureHost, time.Now().Add(time.Hour)), want: "AWS_CA_BUNDLE"},
		"another host":      {cert: ours.certificate(t, "other.test", time.Now().Add(time.Hour)), want: "another host"},
		"expired":           {cert: ours.certificate(t, secureHost, time.Now().Add(-time.Hour)), want: "expired"},
	} {
		byClient(t, func(t *testing.T, sdk bool) {
			t.Run(name, func(t *testing.T) {
				t.Setenv("AWS_CA_BUNDLE", ours.file)
				t.Setenv("AWS_ACCESS_KEY_ID", "test")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
				server := dynamotest.New()
				port, asked := secure(t, server, c.cert)
				s := openSecure(t, port, sdk)
				if c.want == "" {
					ready(t, s, zip)
				}
				rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
				if name := asked.Load(); name == nil || *name != secureHost {
					t.Errorf("the name asked for is %v", name)
				}
				if c.want != "" {
					if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), c.want) {
						t.Errorf("%v, want %q", err, c.want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Release()
				if err := rows.Reads[0][0].Err; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// An endpoint that does not speak TLS is reported as such.
func TestNoTLS(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	byClient(t, func(t *testing.T, sdk bool) {
		plain := httptest.NewServer(dynamotest.New())
		t.Cleanup(plain.Close)
		_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = openSecure(t, port, sdk).Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
		if err == nil || !strings.Contains(err.Error(), "does not speak TLS") {
			t.Errorf("%v", err)
		}
	})
}
