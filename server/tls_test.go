package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/server"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) sign(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TLS works on each surface: gRPC, and HTTP in both versions.
func TestTLSOnEverySurface(t *testing.T) {
	ours, foreign := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		mutual bool
		client *tls.Config
		fails  bool
	}{
		"TLS":                                {client: &tls.Config{RootCAs: ours.pool}},
		"TLS, of an authority nobody trusts": {client: &tls.Config{RootCAs: foreign.pool}, fails: true},
		"mutual TLS":                         {mutual: true, client: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{ours.sign(t, "client")}}},
		"mutual TLS without a certificate":   {mutual: true, client: &tls.Config{RootCAs: ours.pool}, fails: true},
		"mutual TLS with a foreign one":      {mutual: true, client: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{foreign.sign(t, "client")}}, fails: true},
		"TLS, asked for by an old version":   {client: &tls.Config{RootCAs: ours.pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, fails: true},
		"TLS, without saying what is spoken": {client: &tls.Config{RootCAs: ours.pool, NextProtos: []string{"http/1.1"}}},
		"mutual TLS, over and over the same": {mutual: true, client: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{ours.sign(t, "client")}, ClientSessionCache: tls.NewLRUClientSessionCache(8)}},
	} {
		t.Run(name, func(t *testing.T) {
			f := credit
			f.change = func(o *server.Options) {
				o.TLS = &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "server")}, MinVersion: tls.VersionTLS12}
				if c.mutual {
					o.TLS.ClientAuth, o.TLS.ClientCAs = tls.RequireAndVerifyClientCert, ours.pool
				}
			}
			s := start(t, f)
			overGRPC(t, s.at.GRPC, c.client, c.fails)
			for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
				overHTTP(t, s.at.HTTP, version, c.client, c.fails)
			}
		})
	}
}

func overGRPC(t *testing.T, address string, config *tls.Config, fails bool) {
	t.Helper()
	config = config.Clone()
	config.NextProtos = nil
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	features := &feast.FeatureList{Val: []string{"zipcode_features:city"}}
	keys := map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}}}}
	_, err = banquetv1.NewFeatureServiceClient(conn).GetOnlineFeatures(t.Context(), &banquetv1.GetOnlineFeaturesRequest{
		Kind: &banquetv1.GetOnlineFeaturesRequest_Features{Features: features}, Entities: keys,
	})
	if (err != nil) != fails {
		t.Errorf("gRPC: %v", err)
	}
}

func overHTTP(t *testing.T, address, version string, config *tls.Config, fails bool) {
	t.Helper()
	if version == "HTTP/2.0" && len(config.NextProtos) > 0 {
		return
	}
	transport := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: version == "HTTP/2.0"}
	if version == "HTTP/1.1" {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, path := range []string{"/get-online-features", "/v1/online-features", "/get-online-features/"} { // the last is redirected
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+path, strings.NewReader(`{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			if !fails {
				t.Errorf("%s %s: %v", version, path, err)
			}
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if fails || resp.Proto != version || !strings.Contains(string(body), "DALLAS") {
			t.Errorf("%s %s: %s %s %s", version, path, resp.Proto, resp.Status, body)
		}
	}
}
