package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/banquet-fs/banquet/fault"
)

// tls returns the TLS settings, nil without certificate. The files are read once: a
// renewed certificate needs a restart.
func (f *serveFlags) tls() (*tls.Config, error) {
	if f.key == "" && f.cert == "" {
		if f.clientCA != "" {
			return nil, fault.New(fault.Invalid, "--client-ca needs --cert and --key")
		}
		return nil, nil
	}
	if f.key == "" || f.cert == "" {
		return nil, fault.New(fault.Invalid, "TLS needs both --cert and --key")
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s and %s are not a certificate and its key: %s", f.cert, f.key, err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if f.clientCA == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(f.clientCA)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--client-ca: %s", err)
	}
	conf.ClientCAs, conf.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !conf.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "--client-ca %s contains no certificate in PEM", f.clientCA)
	}
	return conf, nil
}
